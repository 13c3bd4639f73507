package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * routes/api-pause and pause.camel.yaml: what is suspended stays where it is, and costs nothing.
 */
class SuspendRouteTest {
  private static final String THE_LANE = "account_id=b&throttle=__default";

  /** For {@link Gate}, which Camel makes. */
  private static volatile CountDownLatch reading = new CountDownLatch(0);

  private static volatile CountDownLatch arrived = new CountDownLatch(1);

  @TempDir Path home;
  private ScriptedSmtpServer relay;

  /** A step that waits, between the start of an attempt and its mail. */
  public static final class Gate {
    public void pass() throws InterruptedException {
      arrived.countDown();
      assertThat(reading.await(30, TimeUnit.SECONDS)).isTrue();
    }
  }

  @BeforeEach
  void start() throws Exception {
    relay = new ScriptedSmtpServer();
  }

  @AfterEach
  void stop() throws Exception {
    relay.close();
  }

  private static JsonNode ordered(TestProxy proxy, String command) {
    HttpResponse<String> answer = proxy.post("/commands/" + command, "");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return json(answer);
  }

  private static JsonNode detail(TestProxy proxy, String id) {
    return json(proxy.get("/messages/" + id + "?tenant_id=acme"));
  }

  private static void awaitWaiting(TestProxy proxy, String id, String state) {
    await()
        .untilAsserted(
            () ->
                assertThat(detail(proxy, id).path("waiting").path("state").asText())
                    .isEqualTo(state));
  }

  @Test
  void what_waits_for_a_suspended_tenant_goes_back_and_is_sent_once_when_it_is_activated()
      throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    relay.script =
        step -> {
          if (step.is("DATA") && step.mails() == 0) {
            hold(gate);
          }
          return null;
        };
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port(), "max_connections", 1);
      proxy.relayAccount("other", "b", relay.port());
      List<Map<String, Object>> messages = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        messages.add(message("acme", "a", "m" + i));
      }
      proxy.submit(messages);
      await().untilAsserted(() -> assertThat(relay.count("DATA")).isEqualTo(1));

      JsonNode answer = ordered(proxy, "suspend?tenant_id=acme&reason=too%20fast");
      assertThat(answer.toString())
          .isEqualTo(
              "{\"ok\":true,\"tenant_id\":\"acme\",\"suspended_batches\":[\"*\"],"
                  + "\"pending_messages\":20}");
      proxy.submit(message("acme", "a", "new"));
      assertThat(detail(proxy, "m0").path("waiting").path("state").asText()).isEqualTo("sending");
      assertThat(detail(proxy, "m9").path("waiting").toString())
          .isEqualTo("{\"state\":\"suspended\",\"rule\":\"__default\",\"reason\":\"too fast\"}");
      assertThat(Metrics.of(proxy).of("ram_queue_message_batches"))
          .as("only what is under way is left in memory")
          .isEqualTo(1);
      gate.countDown();
      History.awaitState(proxy, "acme", "m0", "sent");
      proxy.submit(message("other", "b", "free"));
      History.awaitState(proxy, "other", "free", "sent");
      assertThat(relay.mails).as("and nothing else").hasSize(2);

      assertThat(proxy.post("/commands/activate?tenant_id=acme&batch_code=x", "").statusCode())
          .as("one batch of all")
          .isEqualTo(400);
      assertThat(ordered(proxy, "activate?tenant_id=acme").path("suspended_batches")).isEmpty();
      await().untilAsserted(() -> assertThat(relay.mails).hasSize(22));
      await()
          .untilAsserted(() -> assertThat(Metrics.of(proxy).of("gmp_pending_messages")).isZero());
      assertThat(Metrics.of(proxy).of("remote_attempts_started"))
          .as("waiting is no attempt")
          .isEqualTo(22);
      assertThat(History.types(proxy, "acme", "m9")).containsExactly("sent");
      assertThat(ordered(proxy, "activate?tenant_id=acme").path("ok").asBoolean()).isTrue();
    }
  }

  @Test
  void a_suspended_batch_is_held_whether_new_waiting_or_deferred_and_others_are_not()
      throws Exception {
    try (TestProxy proxy = TestProxy.start(home, "retry.delays", "2", "retry.jitter", "0")) {
      proxy.relayAccount("acme", "a", relay.port());
      List<String> grey = List.of("grey1+x@x.test");
      proxy.submit(message("acme", "a", "deferred", "batch_code", "B_1", "to", grey));
      History.awaitState(proxy, "acme", "deferred", "deferred");
      JsonNode answer = ordered(proxy, "suspend?tenant_id=acme&batch_code=B_1");
      assertThat(answer.path("suspended_batches").toString()).isEqualTo("[\"B_1\"]");
      assertThat(answer.path("pending_messages").asInt()).isEqualTo(1);
      proxy.submit(
          List.of(
              message("acme", "a", "new", "batch_code", "B_1"),
              message("acme", "a", "alike", "batch_code", "BX1"),
              message("acme", "a", "none")));

      History.awaitState(proxy, "acme", "alike", "sent");
      History.awaitState(proxy, "acme", "none", "sent");
      awaitWaiting(proxy, "deferred", "suspended");
      awaitWaiting(proxy, "new", "suspended");
      assertThat(proxy.state("acme", "new")).isEqualTo("pending");
      proxy.submit(message("acme", "a", "new", "batch_code", "B_1", "subject", "replaced"));
      assertThat(
              ordered(proxy, "suspend?tenant_id=acme&batch_code=B_2")
                  .path("suspended_batches")
                  .toString())
          .isEqualTo("[\"B_1\",\"B_2\"]");

      ordered(proxy, "activate?tenant_id=acme&batch_code=B_1");
      History.awaitState(proxy, "acme", "new", "sent");
      History.awaitState(proxy, "acme", "deferred", "sent");
      assertThat(History.attempts(proxy, "acme", "deferred")).containsExactly(1, 2);
      assertThat(relay.mails).anyMatch(mail -> mail.content().contains("Subject: replaced"));
      assertThat(json(proxy.get("/suspensions")).path("suspensions")).hasSize(1);

      proxy.relayAccount("acme", "gone", relay.port());
      ordered(proxy, "suspend?tenant_id=acme&account_id=gone");
      proxy.submit(
          List.of(
              message("acme", "gone", "closed"),
              message("acme", "gone", "held", "batch_code", "B_2")));
      assertThat(proxy.delete("/account/gone?tenant_id=acme").statusCode()).isEqualTo(200);
      History.awaitState(proxy, "acme", "closed", "error");
      History.awaitState(proxy, "acme", "held", "error");
    }
  }

  @Test
  void accounts_and_rules_are_suspended_until_their_time_over_a_restart() throws Exception {
    long until = Instant.now().getEpochSecond() + 6_000;
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.relayAccount("acme", "b", relay.port());
      ordered(proxy, "suspend?tenant_id=acme&account_id=a&reason=old");
      ordered(proxy, "suspend?tenant_id=acme&account_id=a&reason=repair&until_ts=" + until);
      ordered(proxy, "suspend?tenant_id=acme&account_id=a&batch_code=B&until_ts=" + until);
      ordered(proxy, "suspend?tenant_id=acme&until_ts=" + until + "&" + THE_LANE);
      proxy.submit(
          List.of(
              message("acme", "a", "ma"),
              message("acme", "a", "mab", "batch_code", "B"),
              message("acme", "b", "mb")));
    }
    try (TestProxy proxy = TestProxy.start(home)) {
      JsonNode listed = json(proxy.get("/suspensions?tenant_id=acme")).path("suspensions");
      assertThat(listed)
          .extracting(
              s ->
                  s.path("account_id").asText()
                      + s.path("throttle").asText()
                      + s.path("batch_code").asText()
                      + s.path("reason").asText())
          .containsExactly("arepair", "aB", "b__default");
      assertThat(json(proxy.get("/suspensions?tenant_id=none")).path("suspensions")).isEmpty();
      for (String id : List.of("ma", "mab", "mb")) {
        JsonNode waiting = detail(proxy, id).path("waiting");
        assertThat(waiting.path("state").asText()).as(id).isEqualTo("suspended");
        assertThat(waiting.path("next_attempt_ts").asLong()).as(id).isEqualTo(until);
      }
      long soon = Instant.now().getEpochSecond() + 2;
      for (String whom : List.of("account_id=a", "account_id=a&batch_code=B", THE_LANE)) {
        ordered(proxy, "suspend?tenant_id=acme&until_ts=" + soon + "&" + whom);
      }
      for (String id : List.of("ma", "mab", "mb")) {
        History.awaitState(proxy, "acme", id, "sent");
        assertThat(proxy.message("acme", id).path("sent_ts").asLong()).isGreaterThanOrEqualTo(soon);
      }
      await().until(() -> json(proxy.get("/suspensions")).path("suspensions").isEmpty());
    }
  }

  @Test
  void an_attempt_that_starts_as_its_lane_is_suspended_is_paused_and_not_used_up()
      throws Exception {
    String queue = Files.readString(Path.of("routes/queue.camel.yaml"));
    TestProxy.route(
        home,
        "queue.camel.yaml",
        queue.replace(
            "        - bean: { id: read-message-values",
            "        - bean: { id: gate, beanType: \""
                + Gate.class.getName()
                + "\", method: pass }\n"
                + "        - bean: { id: read-message-values"));
    reading = new CountDownLatch(1);
    arrived = new CountDownLatch(1);
    try (TestProxy proxy = TestProxy.start(home, "queue.ram.max-batches", "1")) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.submit(
          message(
              "acme",
              "a",
              "m",
              "body",
              "x".repeat(20_000), // small ones come along with the claim
              "deferred_ts",
              Instant.now().getEpochSecond() + 1));
      assertThat(arrived.await(30, TimeUnit.SECONDS)).isTrue();
      ordered(proxy, "suspend?tenant_id=acme");
      reading.countDown();

      String paused =
          "remote_delivery_attempts_total{outmta=\"a\",throttle=\"__default\",result=\"pause\"}";
      await().untilAsserted(() -> assertThat(Metrics.of(proxy).of(paused)).isEqualTo(1));
      awaitWaiting(proxy, "m", "suspended");
      ordered(proxy, "activate?tenant_id=acme");
      History.awaitState(proxy, "acme", "m", "sent");
      assertThat(History.attempts(proxy, "acme", "m")).containsExactly(1);
      assertThat(Metrics.of(proxy).of("remote_attempts_started")).isEqualTo(2);
      assertThat(relay.mails).hasSize(1);
    }
  }

  @Test
  void what_is_no_order_is_told_so() {
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port());
      for (String command : List.of("suspend", "activate", "dump-messages")) {
        assertStatus(proxy, command, 422);
        assertStatus(proxy, command + "?tenant_id=", 400);
        assertStatus(proxy, command + "?tenant_id=nobody", 400);
        assertStatus(proxy, command + "?tenant_id=acme&account_id=none", 400);
        assertStatus(proxy, command + "?tenant_id=acme&throttle=none", 400);
        assertStatus(proxy, command + "?tenant_id=acme&batch_code=a,b", 422);
        assertStatus(proxy, command + "?tenant_id=acme&batch_code=" + "x".repeat(65), 422);
        assertStatus(proxy, command + "?tenant_id=default", 200);
      }
      assertStatus(proxy, "suspend?tenant_id=acme&until_ts=soon", 422);
      assertStatus(proxy, "suspend?tenant_id=acme&until_ts=1000000000", 400);
      assertStatus(proxy, "suspend?tenant_id=acme&reason=" + "x".repeat(300), 422);
      assertThat(json(proxy.get("/suspensions")).path("suspensions")).isEmpty();
    }
  }

  private static void assertStatus(TestProxy proxy, String command, int status) {
    HttpResponse<String> answer = proxy.post("/commands/" + command, "");
    assertThat(answer.statusCode()).as(command + " " + answer.body()).isEqualTo(status);
  }

  private static void hold(CountDownLatch gate) {
    try {
      assertThat(gate.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
