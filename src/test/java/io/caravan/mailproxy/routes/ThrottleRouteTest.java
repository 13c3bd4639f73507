package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.MovableClock;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.endtoend.TestStore;
import io.caravan.mailproxy.http.Json;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** routes/throttle.camel.yaml and api-rules.camel.yaml: who may begin, and who waits for what. */
class ThrottleRouteTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir static Path home;
  private static TestProxy proxy;
  private ScriptedSmtpServer relay;
  private Metrics start;

  @BeforeAll
  static void startProxy() {
    MovableClock.wire(home);
    proxy = TestProxy.start(home, "retry.delays", "0", "throttle.backlog-wait-ms", "500");
  }

  @AfterAll
  static void stopProxy() {
    proxy.close();
  }

  @BeforeEach
  void start() throws Exception {
    relay = new ScriptedSmtpServer();
    expect(200, rules("{\"throttle_rules\": []}"));
    await().atMost(SOON).until(() -> Metrics.of(proxy).of("gmp_pending_messages") == 0);
    start = Metrics.of(proxy);
  }

  @AfterEach
  void stop() throws Exception {
    relay.close();
  }

  /** What a series grew by in this test. */
  private double grown(String name) {
    return Metrics.of(proxy).of(name) - start.of(name);
  }

  /** R8 and R9: each refusal has one reason, and one who decided. */
  private void assertRefusals(int count, String reason) {
    assertThat(grown("remote_attempts_connmaxout")).isEqualTo(count);
    assertThat(grown("remote_attempts_connmaxout_" + reason)).isEqualTo(count);
    assertThat(
            grown("remote_attempts_connmaxout_proxy_remote")
                + grown("remote_attempts_connmaxout_proxy_local"))
        .isEqualTo(count);
  }

  private static List<Map<String, Object>> mails(String account, int count) {
    List<Map<String, Object>> mails = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      mails.add(message("acme", account, account + "-" + i));
    }
    return mails;
  }

  private long deferredEvents(String account, int count) {
    long deferred = 0;
    for (int i = 0; i < count; i++) {
      deferred +=
          History.types(proxy, "acme", account + "-" + i).stream()
              .filter("deferred"::equals)
              .count();
    }
    return deferred;
  }

  /** reliability-security A5, F39. */
  @Test
  void a_clock_that_goes_back_or_jumps_ahead_gives_no_more_room_than_the_limit() {
    proxy.relayAccount("acme", "clock", relay.port(), "limit_per_hour", 2);
    proxy.submit(mails("clock", 3));
    awaitLimited("clock-2");
    MovableClock.advance(Duration.ofHours(-1));
    try {
      proxy.submit(message("acme", "clock", "clock-3"));
      awaitLimited("clock-3");
      assertThat(relay.mails).hasSize(2);
    } finally {
      MovableClock.advance(Duration.ofHours(1));
    }
    proxy.submit(message("acme", "clock", "clock-4"));
    awaitLimited("clock-4");
    assertThat(relay.mails).hasSize(2);

    MovableClock.advance(Duration.ofHours(3));
    await().atMost(SOON).until(() -> relay.mails.size() >= 4);
    awaitLimited("clock-4");
    assertThat(relay.mails).hasSize(4);
    proxy.delete("/account/clock?tenant_id=acme");
  }

  private static void awaitLimited(String id) {
    await()
        .atMost(SOON)
        .until(
            () ->
                Json.tree(proxy.get("/messages/" + id + "?tenant_id=acme").body())
                    .at("/waiting/state")
                    .asText()
                    .equals("limited"));
  }

  @Test
  void what_is_beyond_a_window_waits_for_the_moment_it_has_room_and_one_is_told() {
    try (LogLines log = new LogLines()) {
      proxy.relayAccount("acme", "five", relay.port(), "limit_per_minute", 5);
      long before = MovableClock.now();
      proxy.submit(mails("five", 8));
      await().atMost(SOON).until(() -> deferredEvents("five", 8) == 1);
      long after = MovableClock.now();

      assertThat(relay.mails).hasSize(5);
      assertThat(History.types(proxy, "acme", "five-5")).containsExactly("deferred");
      for (int i = 5; i < 8; i++) {
        long at = proxy.message("acme", "five-" + i).path("deferred_ts").longValue();
        assertThat(at).isBetween(before / 1000 + 61, after / 1000 + 61);
        assertThat(at * 1000)
            .as("the moment itself stands in the event")
            .isEqualTo(
                History.events(proxy, "acme", "five-5")
                    .findFirst()
                    .orElseThrow()
                    .at("/metadata/next_attempt_at")
                    .longValue());
      }
      JsonNode waiting =
          Json.tree(proxy.get("/messages/five-6?tenant_id=acme").body()).path("waiting");
      assertThat(waiting.path("state").asText()).isEqualTo("limited");
      assertThat(waiting.path("limit").longValue()).isEqualTo(5);
      assertThat(waiting.path("used").longValue()).isEqualTo(5);
      assertThat(waiting.path("window").asText()).isEqualTo("minute");
      await()
          .untilAsserted(
              () ->
                  assertThat(log.lines())
                      .containsOnlyOnce("WARN Rate limit reached for five, deferring five-5"));
      await().untilAsserted(() -> assertRefusals(1, "msgperhour"));
      Metrics now = Metrics.of(proxy);
      assertThat(now.of("gmp_rate_limited_total{account_id=\"five\"}")).isEqualTo(1);
      assertThat(now.of("gmp_deferred_total{account_id=\"five\"}")).isEqualTo(1);
      assertThat(
              now.of(
                  "remote_delivery_attempts_total"
                      + "{outmta=\"five\",throttle=\"__default\",result=\"connmaxout\"}"))
          .as("R10")
          .isEqualTo(1);
      assertThat(now.of("remote_throttle_round_trip_duration_seconds_count{proxy=\"database\"}"))
          .isPositive();
      long claims = proxy.exchanges("claim-lane");
      await()
          .atMost(SOON)
          .until(
              () ->
                  Metrics.of(proxy)
                          .of("remote_throttle_ping_duration_seconds_count{proxy=\"database\"}")
                      >= 2);
      assertThat(proxy.exchanges("claim-lane")).as("a closed lane is not polled").isEqualTo(claims);

      MovableClock.advance(Duration.ofSeconds(62));
      await().atMost(SOON).until(() -> relay.mails.size() == 8);
      for (int i = 0; i < 8; i++) {
        History.awaitState(proxy, "acme", "five-" + i, "sent");
        List<Integer> attempts = History.attempts(proxy, "acme", "five-" + i);
        assertThat(attempts.get(attempts.size() - 1)).as("none was used up").isEqualTo(1);
      }
      assertThat(deferredEvents("five", 8)).isEqualTo(1);
    }
  }

  @Test
  void a_restart_forgets_nothing_and_closes_what_is_spent(@TempDir Path other) throws Exception {
    long sent;
    try (TestProxy first = TestProxy.start(other)) {
      first.relayAccount("acme", "day", relay.port(), "limit_per_day", 3);
      first.submit(mails("day", 3));
      await().atMost(SOON).until(() -> relay.mails.size() == 3);
      sent = System.currentTimeMillis();
      await().atMost(SOON).until(() -> number(other, "SELECT sum(open) FROM rate_open") == 0);
      assertThat(number(other, USED)).as("booked while it runs").isEqualTo(3);
    }
    number(other, "INSERT INTO rate_bucket VALUES (1, 0, 60, 5, 7) RETURNING used");
    try (TestProxy second = TestProxy.start(other)) {
      second.submit(message("acme", "day", "later"));

      assertThat(second.state("acme", "later")).isEqualTo("deferred");
      assertThat(second.message("acme", "later").path("deferred_ts").longValue() * 1000)
          .isBetween(sent + 86_400_000 - 60_000, sent + 87_360_000);
      assertThat(second.exchanges("deliver-message")).isZero();
      assertThat(relay.mails).hasSize(3);

      second.relayAccount("acme", "day", relay.port(), "limit_per_day", 4);
      History.awaitState(second, "acme", "later", "sent");
      String old = "SELECT count(*) FROM rate_bucket WHERE bucket = 5";
      await().atMost(SOON).until(() -> number(other, old) == 0);
      assertThat(number(other, USED)).as("what counts is not forgotten").isPositive();
    }
  }

  private static final String USED = "SELECT sum(used) FROM rate_bucket WHERE span = 86400";

  private static long number(Path home, String sql) throws SQLException {
    try (Connection store = TestStore.connect(home);
        Statement statement = store.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  @Test
  void a_limit_that_rejects_ends_each_mail_with_an_error() {
    proxy.relayAccount(
        "acme", "strict", relay.port(), "limit_per_hour", 2, "limit_behavior", "reject");
    proxy.submit(mails("strict", 6));
    await().atMost(SOON).until(() -> Metrics.of(proxy).of("gmp_pending_messages") == 0);

    assertThat(relay.mails).hasSize(2);
    List<String> errors = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      if (proxy.state("acme", "strict-" + i).equals("error")) {
        errors.add(proxy.message("acme", "strict-" + i).path("error").asText());
      }
    }
    assertThat(errors).hasSize(4).containsOnly("rate_limit_exceeded");
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> {
              assertRefusals(4, "msgperhour");
              assertThat(grown("remote_attempts_failure")).isZero();
              Metrics now = Metrics.of(proxy);
              assertThat(now.of("gmp_rate_limited_total{account_id=\"strict\"}")).isEqualTo(4);
              assertThat(now.of("gmp_deferred_total{account_id=\"strict\"}")).isZero();
            });
  }

  @Test
  void a_rule_limits_its_domains_on_each_account_and_no_others() {
    expect(
        200,
        rules(
            """
            {"throttle_rules": [
              {"name": "big", "domains": ["*.Big.test", "bücher.test"], "messages_per_hour": 2},
              {"name": "narrow", "domains": ["narrow.test"], "max_connections": 1}]}"""));
    assertThat(TestProxy.json(proxy.get("/throttle-rules")).toString())
        .isEqualTo(
            "{\"ok\":true,\"throttle_rules\":["
                + "{\"name\":\"big\",\"domains\":[\"*.big.test\",\"xn--bcher-kva.test\"],\"messages_per_hour\":2},"
                + "{\"name\":\"narrow\",\"domains\":[\"narrow.test\"],\"max_connections\":1}]}");
    proxy.relayAccount("acme", "ruled", relay.port());
    List<Map<String, Object>> mails = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      mails.add(message("acme", "ruled", "big-" + i, "to", List.of("x@mx" + i + ".big.test")));
      mails.add(message("acme", "ruled", "free-" + i, "to", List.of("x@big.test")));
    }
    proxy.submit(mails);
    await().atMost(SOON).until(() -> deferredEvents("big", 4) == 1);
    for (int i = 0; i < 4; i++) {
      History.awaitState(proxy, "acme", "free-" + i, "sent");
    }
    assertThat(relay.mails).hasSize(2 + 4);
    assertThat(History.types(proxy, "acme", "big-2")).containsExactly("deferred");

    expect(
        200,
        rules(
            """
            {"throttle_rules": [
              {"name": "big", "domains": ["*.big.test"], "messages_per_hour": 3}]}"""));
    await().atMost(SOON).until(() -> relay.mails.size() == 3 + 4);
    expect(200, rules("{\"throttle_rules\": [{\"name\": \"other\", \"domains\": [\"y.test\"]}]}"));
    History.awaitState(proxy, "acme", "big-2", "sent");
    History.awaitState(proxy, "acme", "big-3", "sent");
  }

  @Test
  void rules_that_do_not_fit_change_nothing() {
    expect(200, rules("{\"throttle_rules\": [{\"name\": \"a\", \"domains\": [\"a.test\"]}]}"));
    for (String wrong :
        List.of(
            "[]",
            "{}",
            "{\"throttle_rules\": [1]}",
            "{\"throttle_rules\": [{\"domains\": [\"a.test\"]}]}",
            "{\"throttle_rules\": [{\"name\": \"b\", \"domains\": [\"a.test\"], \"messages_per_day\": 5}]}",
            "{\"throttle_rules\": [{\"name\": \"__default\", \"domains\": [\"a.test\"]}]}",
            "{\"throttle_rules\": [{\"name\": \"b\", \"domains\": []}]}",
            "{\"throttle_rules\": [{\"name\": \"b\", \"domains\": [\"a@b.test\"]}]}",
            "{\"throttle_rules\": [{\"name\": \"b\", \"domains\": [\"*.*.test\"]}]}",
            "{\"throttle_rules\": [{\"name\": \"b\", \"domains\": [\"*\"]}]}",
            "{\"throttle_rules\": [{\"name\": \"b\", \"domains\": [7]}]}",
            "{\"throttle_rules\": [{\"name\": \"b\", \"domains\": [\"b.test\"], \"max_connections\": 0}]}",
            "{\"throttle_rules\": [{\"name\": \"b\", \"domains\": [\"b.test\"], \"messages_per_hour\": \"9\"}]}",
            "{\"throttle_rules\": [{\"name\": \"b\", \"domains\": [\"b.test\"]},"
                + " {\"name\": \"b\", \"domains\": [\"c.test\"]}]}",
            "{\"throttle_rules\": [{\"name\": \""
                + "n".repeat(65)
                + "\", \"domains\": [\"b.test\"]}]}")) {
      expect(422, rules(wrong));
    }
    assertThat(TestProxy.json(proxy.get("/throttle-rules")).at("/throttle_rules/0/name").asText())
        .isEqualTo("a");
    expect(401, proxy.send(HttpRequest.newBuilder(proxy.uri("/throttle-rules")).GET().build()));
  }

  @Test
  void connections_of_an_account_bound_all_of_its_lanes_together() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    relay.script =
        step -> {
          if (step.is("DATA")) {
            hold(gate);
          }
          return null;
        };
    expect(
        200,
        rules(
            """
            {"throttle_rules": [
              {"name": "x", "domains": ["x.test"], "max_connections": 1},
              {"name": "y", "domains": ["y.test"]}]}"""));
    proxy.relayAccount("acme", "a", relay.port(), "max_connections", 2);
    List<Map<String, Object>> mails = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      mails.add(message("acme", "a", "x-" + i, "to", List.of("r@x.test")));
      mails.add(message("acme", "a", "y-" + i, "to", List.of("r@y.test")));
    }
    proxy.submit(mails);
    await().atMost(SOON).until(() -> grown("remote_attempts_connmaxout_maxconn") >= 1);
    assertThat(relay.mostOpen.get()).isLessThanOrEqualTo(2);
    gate.countDown();
    await().atMost(SOON).until(() -> relay.mails.size() == 6);
    await().atMost(SOON).until(() -> Metrics.of(proxy).of("gmp_pending_messages") == 0);
    Metrics end = Metrics.of(proxy);
    assertThat(relay.mostOpen.get()).isLessThanOrEqualTo(2);
    assertThat(end.of("gmp_rate_limited_total{account_id=\"a\"}")).isZero();
    assertThat(end.of("gmp_deferred_total{account_id=\"a\"}")).isZero();
    assertRefusals((int) grown("remote_attempts_connmaxout"), "maxconn");
    assertThat(grown("remote_attempts_connmaxout_proxy_remote")).isZero();
  }

  @Test
  void a_relay_that_takes_fewer_connections_is_held_to_what_it_takes() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    relay.script =
        step -> {
          if (step.is("CONNECT") && step.connection() > 1) {
            return "421 4.3.2 too many connections" + ScriptedSmtpServer.THEN_DROP;
          }
          if (step.is("DATA")) {
            hold(gate);
          }
          return null;
        };
    proxy.relayAccount("acme", "one", relay.port(), "max_connections", 3);
    proxy.submit(mails("one", 5));
    String waited =
        "remote_delivery_attempts_total{outmta=\"one\",throttle=\"__default\",result=\"pause\"}";
    await().atMost(SOON).until(() -> Metrics.of(proxy).of(waited) == 2);
    long asked = relay.connections.get();
    gate.countDown();
    for (int i = 0; i < 5; i++) {
      History.awaitState(proxy, "acme", "one-" + i, "sent");
      assertThat(History.types(proxy, "acme", "one-" + i)).containsExactly("sent");
    }
    assertThat(relay.connections.get()).as("it is not asked for more").isEqualTo(asked);
    assertThat(asked).as("and was for each place at most once").isLessThanOrEqualTo(3);
    assertThat(Metrics.of(proxy).of("gmp_deferred_total{account_id=\"one\"}")).isZero();
  }

  private static HttpResponse<String> rules(String json) {
    return proxy.send(
        proxy
            .request("/throttle-rules")
            .header("Content-Type", "application/json")
            .PUT(HttpRequest.BodyPublishers.ofString(json))
            .build());
  }

  private static void expect(int status, HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
  }

  private static void hold(CountDownLatch gate) {
    try {
      if (!gate.await(30, TimeUnit.SECONDS)) {
        throw new IllegalStateException("the gate stayed closed");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
