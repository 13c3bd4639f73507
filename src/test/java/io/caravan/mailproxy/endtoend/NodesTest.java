package io.caravan.mailproxy.endtoend;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two nodes on one PostgreSQL database. */
class NodesTest {
  private static final Duration SOON = Duration.ofSeconds(30);

  private static final String KEY = "A".repeat(43) + "=";

  /** The route by which a node hears of what another one changed. */
  private static final String FOLLOW = "follow-changes";

  @TempDir static Path first;
  @TempDir static Path second;
  private static TestApplication application;
  private static ScriptedSmtpServer relay;
  private static TestProxy one;
  private static TestProxy two;

  @BeforeAll
  static void start() throws Exception {
    TestStore.share(first, second);
    relay = new ScriptedSmtpServer();
    application = new TestApplication();
    MovableClock.wire(first);
    MovableClock.wire(second);
    one = start(first);
    two = start(second);
    one.post("/tenant", Map.of("id", "acme", "client_base_url", application.url()));
    one.relayAccount("acme", "main", relay.port());
  }

  /** With leases that no step of the clock ends. */
  private static TestProxy start(Path home) {
    return TestProxy.start(
        home, "retry.delays", "0", "sync.retry-delays", "1", "lease.seconds", "3600");
  }

  @AfterAll
  static void stop() throws Exception {
    one.close();
    two.close();
    relay.close();
    application.close();
  }

  @Test
  void what_one_node_is_told_all_know() {
    await().atMost(SOON).untilAsserted(() -> assertThat(accounts(two, "main")).isEqualTo(1));
    two.submit(message("acme", "main", "by-two"));
    await().atMost(SOON).until(() -> one.state("acme", "by-two").equals("sent"));

    one.post("/commands/suspend?tenant_id=acme&account_id=main", "");
    await()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(waiting(two)).isEqualTo(waiting(one)).isEqualTo("1"));
    int before = relay.mails.size();
    two.submit(message("acme", "main", "stopped"));
    two.post("/commands/activate?tenant_id=acme&account_id=main", "");
    await().atMost(SOON).until(() -> one.state("acme", "stopped").equals("sent"));
    assertThat(relay.mails).hasSize(before + 1);

    two.relayAccount("acme", "short", relay.port());
    one.submit(message("acme", "short", "at-once"));
    await().atMost(SOON).untilAsserted(() -> assertThat(accounts(one, "short")).isEqualTo(1));
    one.delete("/account/short?tenant_id=acme");
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(
                        two.post(
                                "/commands/add-messages",
                                Map.of("messages", List.of(message("acme", "short", "none"))))
                            .body())
                    .contains("account"));
  }

  @Test
  void each_new_account_is_known_to_whoever_posts_mail_of_it_at_once(
      @TempDir Path maker, @TempDir Path late) throws Exception {
    TestStore.share(maker, late);
    try (TestProxy node = start(maker);
        TestProxy slow = start(late)) {
      slow.proxy().context().getRouteController().stopRoute(FOLLOW);
      for (int i = 0; i < 5; i++) {
        node.relayAccount("acme", "new-" + i, relay.port());
        slow.submit(message("acme", "new-" + i, "m-" + i));
      }
    }
  }

  @Test
  void mail_of_an_account_that_this_node_has_not_heard_of_yet_waits(
      @TempDir Path maker, @TempDir Path late) throws Exception {
    TestStore.share(maker, late);
    try (TestProxy slow = start(late)) {
      slow.proxy().context().getRouteController().stopRoute(FOLLOW);
      try (TestProxy node = start(maker)) {
        node.relayAccount("acme", "new", relay.port());
        Map<String, Object> soon = new HashMap<>(message("acme", "new", "soon"));
        soon.put("deferred_ts", Instant.now().getEpochSecond() + 1);
        node.submit(soon);
      }
      await().atMost(SOON).until(() -> slow.exchanges("settle-no-account") > 0);
      slow.proxy().context().getRouteController().startRoute(FOLLOW);
      await().atMost(SOON).until(() -> slow.state("acme", "soon").equals("sent"));
    }
  }

  @Test
  void a_password_that_this_node_cannot_open_stops_its_account_here(
      @TempDir Path maker, @TempDir Path other) throws Exception {
    TestStore.share(maker, other);
    Files.writeString(maker.resolve("keys"), "new:" + "B".repeat(42) + "A=,old:" + KEY);
    Files.writeString(other.resolve("keys"), "old:" + KEY);
    String keys = "encryption.key-file";
    try (TestProxy here = TestProxy.start(other, keys, other.resolve("keys").toString());
        ScriptedSmtpServer guarded = new ScriptedSmtpServer("good.p12", false)) {
      try (TestProxy node = TestProxy.start(maker, keys, maker.resolve("keys").toString())) {
        node.relayAccount("acme", "sealed", guarded.port(), "user", "u", "password", "p");
        await().atMost(SOON).until(() -> health(here, "sealed").equals("locked"));
      }
      here.submit(message("acme", "sealed", "kept"));
      await().during(Duration.ofSeconds(1)).until(() -> guarded.connections.get() == 0);

      here.relayAccount("acme", "sealed", relay.port());
      await().atMost(SOON).until(() -> here.state("acme", "kept").equals("sent"));
    }
  }

  private static String health(TestProxy node, String account) {
    for (JsonNode each : TestProxy.json(node.get("/accounts?tenant_id=acme")).path("accounts")) {
      if (each.path("id").asText().equals(account)) {
        return each.path("health").path("state").asText();
      }
    }
    return "";
  }

  @Test
  void each_mail_is_sent_once_and_each_outcome_is_told_once() {
    List<Map<String, Object>> batch = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      batch.add(message("acme", "main", "shared-" + i));
    }
    await().atMost(SOON).untilAsserted(() -> assertThat(accounts(two, "main")).isEqualTo(1));
    one.submit(batch.subList(0, 200));
    two.submit(batch.subList(200, 400));

    await().atMost(SOON).until(() -> told("shared-").size() >= 400);
    Map<String, Integer> mails = new HashMap<>();
    relay.mails.forEach(mail -> mails.merge(subject(mail.raw()), 1, Integer::sum));
    for (int i = 0; i < 400; i++) {
      assertThat(mails).containsEntry("Subject of shared-" + i, 1);
    }
    List<String> told = told("shared-");
    assertThat(told).hasSize(400);
    assertThat(new HashSet<>(told)).hasSize(400);
  }

  @Test
  void a_limit_holds_in_sum() {
    one.relayAccount("acme", "slow", relay.port(), "limit_per_minute", 10);
    await().atMost(SOON).untilAsserted(() -> assertThat(accounts(two, "slow")).isEqualTo(1));
    for (int i = 0; i < 20; i++) {
      one.submit(message("acme", "slow", "slow-one-" + i));
      two.submit(message("acme", "slow", "slow-two-" + i));
    }
    for (int minute = 1; minute <= 3; minute++) {
      int most = 10 * minute;
      await().atMost(SOON).until(() -> sent("slow-") == most);
      MovableClock.advance(Duration.ofSeconds(30));
      await()
          .during(Duration.ofSeconds(2))
          .atMost(SOON)
          .untilAsserted(() -> assertThat(sent("slow-")).isLessThanOrEqualTo(most));
      MovableClock.advance(Duration.ofSeconds(32));
    }
  }

  private static long sent(String ids) {
    return List.copyOf(relay.mails).stream()
        .filter(mail -> subject(mail.raw()).startsWith("Subject of " + ids))
        .count();
  }

  private static String subject(String mail) {
    return mail.lines()
        .filter(line -> line.startsWith("Subject: "))
        .map(line -> line.substring("Subject: ".length()))
        .findFirst()
        .orElse("");
  }

  private static List<String> told(String ids) {
    return application.events().stream()
        .map(event -> event.path("id").asText())
        .filter(id -> id.startsWith(ids))
        .toList();
  }

  private static long accounts(TestProxy proxy, String id) {
    return proxy.proxy().bean("registry", Registry.class).account("acme", id).stream().count();
  }

  private static String waiting(TestProxy proxy) {
    return String.valueOf(
        TestProxy.json(proxy.get("/suspensions?tenant_id=acme")).path("suspensions").size());
  }
}
