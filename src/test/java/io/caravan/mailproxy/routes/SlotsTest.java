package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
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

/** Slots of the three queues, and what they do (telemetry.md 5, R1 to R6, R11, R12). */
class SlotsTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Map<String, Integer> TOTAL = Map.of("ram", 12, "disk", 7, "bounce", 3);

  @TempDir Path home;
  private ScriptedSmtpServer relay;
  private volatile CountDownLatch gate = new CountDownLatch(0);

  @BeforeEach
  void open() throws Exception {
    relay = new ScriptedSmtpServer();
    relay.script =
        step -> {
          if (step.is("DATA")) {
            hold(gate);
          }
          return null;
        };
  }

  @AfterEach
  void close() throws Exception {
    gate.countDown();
    relay.close();
  }

  private TestProxy start(String... more) {
    List<String> settings =
        new ArrayList<>(List.of("retry.delays", "0", "retry.max-attempts", "3"));
    TOTAL.forEach((queue, slots) -> settings.addAll(slotsOf(queue, slots)));
    settings.addAll(List.of(more));
    return TestProxy.start(home, settings.toArray(String[]::new));
  }

  private static List<String> slotsOf(String queue, int slots) {
    return List.of("queue." + queue + ".concurrencyremote", Integer.toString(slots));
  }

  private static double slots(Metrics now, String queue, String state) {
    return now.of("remote_dslots_" + queue + "_" + state);
  }

  /** What holds in every scrape, however much goes on. */
  private static void assertRelations(Metrics now) {
    TOTAL.forEach(
        (queue, total) -> {
          assertThat(
                  slots(now, queue, "delivering")
                      + slots(now, queue, "diskwait")
                      + slots(now, queue, "throttlewait")
                      + slots(now, queue, "free"))
              .as("R1 " + queue)
              .isEqualTo(slots(now, queue, "total"));
          assertThat(
                  slots(now, queue, "throttlewait_unacknowledged")
                      + slots(now, queue, "throttlewait_acknowledged"))
              .as("R2 " + queue)
              .isEqualTo(slots(now, queue, "throttlewait"));
          assertThat(slots(now, queue, "total")).as("R3 " + queue).isEqualTo((double) total);
          String labels = "{queue=\"" + queue + "\",proxy=\"database\"}";
          assertThat(now.of("remote_throttle_unacknowledged_requests_count" + labels))
              .as("R7 " + queue)
              .isLessThanOrEqualTo(now.of("remote_throttle_unacknowledged_requests_max" + labels));
        });
    String count = "remote_throttle_unacknowledged_requests_count";
    double all = now.of(count + "{proxy=\"database\"}");
    assertThat(now.sum(count) - all).as("R6").isEqualTo(all);
    assertThat(now.of("remote_throttle_backlog_unacknowledged{proxy=\"database\"}"))
        .as("R4")
        .isEqualTo(all);
    assertThat(now.of("remote_throttle_sessions")).as("R18").isEqualTo(1);
  }

  private static double sum(Metrics now, String state) {
    return TOTAL.keySet().stream().mapToDouble(queue -> slots(now, queue, state)).sum();
  }

  @Test
  void every_scrape_under_load_adds_up_and_all_slots_are_free_after_it() {
    try (TestProxy proxy = start()) {
      proxy.relayAccount("acme", "main", relay.port(), "limit_per_hour", 1_000_000);
      List<Map<String, Object>> mails = new ArrayList<>();
      for (int i = 0; i < 600; i++) {
        String to = i % 5 == 0 ? "450@x.test" : "fine@x.test";
        mails.add(message("acme", "main", "m" + i, "to", List.of(to)));
      }
      proxy.submit(mails);
      Metrics now = Metrics.of(proxy);
      while (now.of("gmp_pending_messages") > 0) {
        assertRelations(now);
        now = Metrics.of(proxy);
      }
      await()
          .atMost(SOON)
          .untilAsserted(() -> assertThat(sum(Metrics.of(proxy), "free")).isEqualTo(12 + 7 + 3));
      Metrics end = Metrics.of(proxy);
      assertRelations(end);
      assertThat(end.sum("remote_delivery_attempts_active")).as("R12").isZero();
      assertThat(end.of("remote_attempts_started"))
          .as("R11")
          .isEqualTo(end.sum("remote_delivery_attempts_total"))
          .isEqualTo(480 + 3 * 120);
    }
  }

  @Test
  void a_slot_shows_what_its_attempt_waits_for() throws Exception {
    gate = new CountDownLatch(1);
    try (TestProxy proxy =
        start("throttle.backlog-wait-ms", "60000", "telemetry.throttle-label", "rule")) {
      proxy.send(
          proxy
              .request("/throttle-rules")
              .header("Content-Type", "application/json")
              .PUT(
                  HttpRequest.BodyPublishers.ofString(
                      "{\"throttle_rules\": [{\"name\": \"x\", \"domains\": [\"x.test\"]}]}"))
              .build());
      proxy.relayAccount("acme", "main", relay.port(), "max_connections", 2);
      for (int i = 0; i < 2; i++) {
        proxy.submit(message("acme", "main", "x" + i, "to", List.of("r@x.test")));
      }
      await().atMost(SOON).until(() -> slots(Metrics.of(proxy), "ram", "delivering") == 2);
      proxy.submit(message("acme", "main", "y", "to", List.of("r@y.test")));
      await()
          .atMost(SOON)
          .untilAsserted(
              () -> {
                Metrics now = Metrics.of(proxy);
                assertThat(slots(now, "ram", "throttlewait_acknowledged")).isEqualTo(1);
                assertThat(now.of("remote_throttle_backlog_backlogged{proxy=\"database\"}"))
                    .as("R5")
                    .isEqualTo(1);
                assertThat(
                        now.of("remote_delivery_attempts_active{outmta=\"main\",throttle=\"x\"}"))
                    .as("R12")
                    .isEqualTo(2);
                assertThat(
                        now.of("remote_attempts_started")
                            - now.sum("remote_delivery_attempts_total"))
                    .as("R11, in flight")
                    .isEqualTo(3);
                assertRelations(now);
              });
      gate.countDown();
      await().atMost(SOON).until(() -> sum(Metrics.of(proxy), "free") == 12 + 7 + 3);
      assertThat(
              Metrics.of(proxy)
                  .of(
                      "remote_delivery_attempts_total"
                          + "{outmta=\"main\",throttle=\"x\",result=\"success\"}"))
          .isEqualTo(2);
      assertThat(relay.mails).hasSize(3);

      CountDownLatch refusal = new CountDownLatch(1);
      relay.script =
          step -> {
            if (step.is("MAIL")) {
              hold(refusal);
              return "451 4.3.0 later";
            }
            return null;
          };
      proxy.submit(message("acme", "main", "z"));
      await().atMost(SOON).until(() -> relay.count("MAIL") == 4);
      try (Connection writer = proxy.holdCommits()) {
        assertThat(writer.isClosed()).isFalse();
        refusal.countDown();
        await().atMost(SOON).until(() -> slots(Metrics.of(proxy), "ram", "diskwait") == 1);
        assertRelations(Metrics.of(proxy));
      }
    }
  }

  @Test
  void mail_in_the_bounce_queue_takes_slots_of_its_own() throws IOException {
    String queue = Files.readString(Path.of("routes/queue.camel.yaml"));
    TestProxy.route(
        home,
        "queue.camel.yaml",
        queue.replace("seda:ram", "seda:bounce").replace("#bean:ramQueue", "#bean:bounceQueue"));
    gate = new CountDownLatch(1);
    try (TestProxy proxy = start()) {
      proxy.relayAccount("acme", "main", relay.port());
      long soon = Instant.now().getEpochSecond() + 1;
      List<Map<String, Object>> mails = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        mails.add(message("acme", "main", "b" + i, "deferred_ts", soon));
      }
      proxy.submit(mails);
      await().atMost(SOON).until(() -> slots(Metrics.of(proxy), "bounce", "delivering") == 3);
      assertThat(slots(Metrics.of(proxy), "ram", "free")).isEqualTo(12);
      gate.countDown();
      await().atMost(SOON).until(() -> relay.mails.size() == 5);
      await().atMost(SOON).until(() -> slots(Metrics.of(proxy), "bounce", "free") == 3);
    }
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
