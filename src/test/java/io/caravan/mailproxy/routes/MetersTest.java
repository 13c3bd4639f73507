package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the documented families say is what happened (telemetry.md 5). */
class MetersTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir Path home;
  private ScriptedSmtpServer relay;
  private CountDownLatch gate = new CountDownLatch(0);

  @BeforeEach
  void open() throws Exception {
    relay = new ScriptedSmtpServer();
  }

  @AfterEach
  void close() throws Exception {
    gate.countDown();
    relay.close();
  }

  /** Lets no mail of the relay get further than its DATA. */
  private void hold() {
    gate = new CountDownLatch(1);
    relay.script =
        step -> {
          if (step.is("DATA")) {
            try {
              gate.await(30, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }
          return null;
        };
  }

  private static List<Map<String, Object>> mixed(int count) {
    List<Map<String, Object>> items = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String to = i % 10 == 0 ? "550@x.test" : i % 10 == 1 ? "450@x.test" : "fine@x.test";
      items.add(message("acme", "main", "m" + i, "to", List.of(to)));
    }
    return items;
  }

  @Test
  void attempts_are_counted_by_account_and_result() {
    try (TestProxy proxy = TestProxy.start(home, "retry.delays", "0", "retry.max-attempts", "3")) {
      proxy.relayAccount("acme", "main", relay.port());
      proxy.submit(mixed(100));
      await()
          .atMost(SOON)
          .untilAsserted(() -> assertThat(Metrics.of(proxy).of("gmp_pending_messages")).isZero());
      Metrics now = Metrics.of(proxy);

      String all = "remote_delivery_attempts_total";
      String account = "{outmta=\"main\",throttle=\"__default\",result=\"";
      assertThat(now.of(all + account + "success\"}")).isEqualTo(80);
      assertThat(now.of(all + account + "failure\"}")).isEqualTo(10);
      assertThat(now.of(all + account + "deferral\"}")).as("the last ones too").isEqualTo(30);
      for (String result : List.of("success", "failure", "deferral")) {
        assertThat(now.of("remote_attempts_" + result))
            .as("R10 " + result)
            .isEqualTo(now.sum(all, "result=\"" + result));
      }
      assertThat(now.of("remote_attempts_started"))
          .as("R11, at rest")
          .isEqualTo(now.sum(all))
          .isEqualTo((double) proxy.exchanges("deliver-message"));
      assertThat(now.of("remote_messages_new_total")).isEqualTo(100);
      assertThat(now.of("remote_messages_disk_queue_add_total")).as("R14").isEqualTo(10);
      assertThat(now.of("gmp_sent_total{account_id=\"main\"}"))
          .as("R22")
          .isEqualTo(now.sum(all, "result=\"success"));
      assertThat(now.of("gmp_errors_total{account_id=\"main\"}")).isEqualTo(20);
      assertThat(now.of("gmp_deferred_total{account_id=\"main\"}")).isEqualTo(20);
      assertThat(now.sum("remote_delivery_attempts_active")).isZero();
      assertThat(now.of("ram_queue_message_batches")).isZero();
      assertThat(now.of("ram_queue_bytes")).isZero();
    }
  }

  @Test
  void what_is_under_way_shows() {
    hold();
    try (TestProxy proxy =
        TestProxy.start(home, "queue.ram.max-batches", "3", "queue.ram.max-bytes", "99999")) {
      proxy.relayAccount("acme", "main", relay.port(), "max_connections", 2);
      proxy.submit(mixed(1).get(0));
      proxy.submit(mixed(9).subList(2, 9));

      await()
          .atMost(SOON)
          .untilAsserted(
              () -> {
                Metrics now = Metrics.of(proxy);
                assertThat(now.sum("remote_delivery_attempts_active"))
                    .isEqualTo(
                        now.of(
                            "remote_delivery_attempts_active"
                                + "{outmta=\"main\",throttle=\"__default\"}"))
                    .isEqualTo(2);
                assertThat(now.of("ram_queue_message_batches")).isEqualTo(3);
                assertThat(now.of("ram_queue_message_batches_max")).isEqualTo(3);
                assertThat(now.of("ram_queue_bytes")).isBetween(100.0, 99_999.0);
                assertThat(now.of("ram_queue_bytes_max")).isEqualTo(99_999);
                assertThat(now.of("remote_connections_active{source_ip=\"default\"}")).isEqualTo(2);
                assertThat(
                        now.of("remote_attempts_started")
                            - now.sum("remote_delivery_attempts_total"))
                    .as("R11, in flight")
                    .isEqualTo(2);
                assertThat(now.of("disk_queue_scheduling_delay_seconds")).isPositive();
              });
      gate.countDown();
      await()
          .atMost(SOON)
          .untilAsserted(
              () -> {
                Metrics now = Metrics.of(proxy);
                assertThat(now.of("gmp_pending_messages")).isZero();
                assertThat(now.of("ram_queue_message_batches")).isZero();
                assertThat(now.of("disk_queue_scheduling_delay_seconds")).isZero();
                double opened = now.of("remote_connection_new_total{source_ip=\"default\"}");
                double reused = now.of("remote_connection_reused_total{source_ip=\"default\"}");
                assertThat(opened).isEqualTo(relay.connections.get());
                assertThat(opened + reused)
                    .as("R20")
                    .isGreaterThanOrEqualTo((double) relay.count("MAIL"));
                assertThat(now.of("disk_queue_catchup_percentage")).isBetween(0.0, 1.0);
              });
    }
  }

  @Test
  void what_is_being_taken_in_shows() throws Exception {
    try (TestProxy proxy = TestProxy.start(home, "intake.max-messages", "7")) {
      proxy.relayAccount("acme", "main", relay.port());
      CompletableFuture<Void> submitted;
      try (Connection writer = proxy.holdCommits()) {
        assertThat(writer.isClosed()).isFalse();
        submitted = CompletableFuture.runAsync(() -> proxy.submit(mixed(5)));
        await()
            .atMost(SOON)
            .untilAsserted(
                () -> {
                  Metrics now = Metrics.of(proxy);
                  assertThat(now.of("simplemh_http_queue_messages")).isEqualTo(5);
                  assertThat(now.of("simplemh_http_queue_messages_max")).isEqualTo(7);
                  assertThat(now.of("simplemh_http_queue_bytes")).isGreaterThan(500);
                  assertThat(now.of("simplemh_http_queue_bytes_max")).isEqualTo(67_108_864);
                });
        var refused = proxy.post("/commands/add-messages", Map.of("messages", mixed(3)));
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
      }
      submitted.join();
      assertThat(Metrics.of(proxy).of("simplemh_http_queue_messages")).isZero();
      await().atMost(SOON).until(() -> Metrics.of(proxy).of("simplemh_http_queue_bytes") == 0);
    }
  }

  @Test
  void connections_that_cannot_be_had_are_counted() throws Exception {
    int port = relay.port();
    relay.close();
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "main", port);
      assertThat(Metrics.of(proxy).of("remote_connection_failed_total{source_ip=\"default\"}"))
          .isZero();
      proxy.submit(message("acme", "main", "m"));
      History.awaitState(proxy, "acme", "m", "deferred");

      Metrics now = Metrics.of(proxy);
      assertThat(now.of("remote_connection_failed_total{source_ip=\"default\"}")).isEqualTo(1);
      assertThat(now.of("remote_connection_new_total{source_ip=\"default\"}")).isZero();
    }
  }

  @Test
  void events_are_counted_on_their_way_to_the_endpoint() throws Exception {
    String sync = "{destination=\"sync\"}";
    try (SyncEndpoint endpoint = new SyncEndpoint();
        TestProxy proxy =
            TestProxy.start(home, "sync.retry-delays", "2", "telemetry.count-seconds", "1")) {
      Metrics first = Metrics.of(proxy);
      assertThat(first.of("remote_attempts_success")).as("without any account").isZero();
      assertThat(first.of("remote_messages_disk_queue_add_total")).isZero();
      for (String family : List.of("delivered_total", "failed_total", "network_failed_total")) {
        assertThat(first.of("event_delivery_" + family + sync)).isZero();
      }
      endpoint.then(500, "").then(call -> {}); // the second one hangs up
      proxy.post("/tenant", endpoint.tenant("acme"));
      proxy.relayAccount("acme", "main", relay.port());
      proxy.submit(message("acme", "main", "m"));

      await()
          .atMost(SOON)
          .untilAsserted(
              () -> {
                Metrics now = Metrics.of(proxy);
                assertThat(now.of("event_delivery_queue_retry_count" + sync)).isEqualTo(1);
                assertThat(now.of("event_delivery_queue_retry_age_seconds" + sync)).isPositive();
                assertThat(now.of("event_delivery_queue_first_attempt_count" + sync)).isZero();
                assertThat(now.of("event_delivery_queue_first_attempt_age_seconds" + sync))
                    .isZero();
              });
      await()
          .atMost(SOON)
          .untilAsserted(
              () -> {
                Metrics now = Metrics.of(proxy);
                assertThat(now.of("event_delivery_delivered_total" + sync)).isEqualTo(1);
                assertThat(now.of("event_delivery_failed_total" + sync)).isEqualTo(2);
                assertThat(now.of("event_delivery_network_failed_total" + sync)).isEqualTo(1);
                assertThat(now.of("event_delivery_read_operations_total" + sync))
                    .isGreaterThanOrEqualTo(3);
                assertThat(now.of("event_delivery_submission_latency_seconds" + sync)).isPositive();
                assertThat(now.of("event_delivery_queue_retry_count" + sync)).isZero();
                assertThat(now.of("event_delivery_queue_retry_age_seconds" + sync)).isZero();
              });
    }
  }

  @Test
  void an_account_has_its_series_as_long_as_it_exists() {
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "main", relay.port());
      proxy.submit(message("acme", "main", "sent"));
      History.awaitState(proxy, "acme", "sent", "sent");
      proxy.sandboxAccount("acme", "other");
      Metrics start = Metrics.of(proxy);
      for (String result : List.of("success", "failure", "deferral")) {
        assertThat(
                start.of(
                    "remote_delivery_attempts_total{outmta=\"other\",throttle=\"__default\",result=\""
                        + result
                        + "\"}"))
            .isZero();
      }
      assertThat(start.of("gmp_rate_limited_total{account_id=\"main\"}")).isZero();
      proxy.submit(
          message("acme", "main", "later", "deferred_ts", Instant.now().getEpochSecond() + 9_999));
      proxy.delete("/account/main?tenant_id=acme");

      History.awaitState(proxy, "acme", "later", "error");
      await()
          .atMost(SOON)
          .untilAsserted(() -> assertThat(proxy.exchanges("tell-outcome")).isEqualTo(2));
      Metrics end = Metrics.of(proxy);
      assertThat(end.mentions("\"main\"")).isFalse();
      assertThat(end.of("remote_attempts_success")).as("what happened stays").isEqualTo(1);
      assertThat(end.of("remote_attempts_failure")).isEqualTo(1);
      assertThat(end.of("remote_attempts_started")).isEqualTo(2);
    }
  }

  @Test
  void more_series_than_there_may_be_are_dropped_and_counted() {
    try (TestProxy proxy = TestProxy.start(home, "telemetry.max-series", "20")) {
      for (int i = 0; i < 10; i++) {
        proxy.relayAccount("acme", "a" + i, relay.port());
      }
      proxy.submit(message("acme", "a9", "m"));
      History.awaitState(proxy, "acme", "m", "sent");

      Metrics now = Metrics.of(proxy);
      assertThat(now.of("telemetry_series_dropped_total")).isPositive();
      assertThat(now.of("gmp_sent_total{account_id=\"a0\"}")).isZero();
      assertThat(now.mentions("gmp_sent_total{account_id=\"a9\"")).isFalse();
      assertThat(now.of("remote_attempts_success")).as("sums lose nothing").isEqualTo(1);
    }
  }

  @Test
  void probes_go_the_way_of_a_message_and_are_none() {
    try (TestProxy proxy =
        TestProxy.start(
            home,
            "export_metric",
            "simplemh_http_queue_latency_seconds, delivery_probe_latency_seconds",
            "probe.interval-seconds",
            "1")) {
      String intake = "simplemh_http_queue_latency_seconds";
      String delivery = "delivery_probe_latency_seconds";
      await()
          .atMost(SOON)
          .untilAsserted(
              () -> {
                Metrics now = Metrics.of(proxy);
                assertThat(now.of(intake + "_count")).isGreaterThanOrEqualTo(3);
                assertThat(now.of(delivery + "_count")).isGreaterThanOrEqualTo(3);
              });
      Metrics now = Metrics.of(proxy);
      assertThat(now.of("remote_messages_new_total")).isZero();
      assertThat(now.of("remote_attempts_started")).isZero();
      assertThat(now.of("gmp_pending_messages")).isZero();
      assertThat(proxy.exchanges("deliver-message")).isZero();
    }
  }

  @Test
  void a_probe_without_room_leaves_no_sample() {
    hold();
    try (TestProxy proxy =
        TestProxy.start(
            home,
            "export_metric",
            "simplemh_http_queue_latency_seconds,delivery_probe_latency_seconds",
            "probe.interval-seconds",
            "1",
            "queue.ram.max-batches",
            "1")) {
      proxy.relayAccount("acme", "main", relay.port());
      proxy.submit(message("acme", "main", "m"));
      await().atMost(SOON).until(() -> relay.count("MAIL") == 1);
      Metrics before = Metrics.of(proxy);
      double taken = before.of("simplemh_http_queue_latency_seconds_count");
      await()
          .atMost(SOON)
          .until(
              () -> Metrics.of(proxy).of("simplemh_http_queue_latency_seconds_count") >= taken + 2);
      assertThat(Metrics.of(proxy).sum("delivery_probe_latency_seconds_count"))
          .isEqualTo(before.sum("delivery_probe_latency_seconds_count"));

      gate.countDown();
      await()
          .atMost(SOON)
          .until(
              () ->
                  Metrics.of(proxy).sum("delivery_probe_latency_seconds_count")
                      > before.sum("delivery_probe_latency_seconds_count"));
    }
  }

  @Test
  void the_metric_line_tells_what_happened_since_the_last_one() {
    Pattern field = Pattern.compile(" (new|started|success|failure|scrapes)=(\\d+)");
    try (LogLines log = new LogLines();
        TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "main", relay.port());
      proxy.submit(mixed(10).subList(2, 10));
      await()
          .atMost(SOON)
          .until(
              () -> log.lines().stream().filter(l -> l.startsWith("INFO metrics ")).count() >= 2);
      Map<String, Long> sums = new java.util.HashMap<>();
      for (String line : log.lines()) {
        Matcher found = field.matcher(line);
        while (line.startsWith("INFO metrics ") && found.find()) {
          sums.merge(found.group(1), Long.valueOf(found.group(2)), Long::sum);
        }
      }
      assertThat(sums)
          .containsEntry("new", 8L)
          .containsEntry("started", 8L)
          .containsEntry("success", 8L)
          .containsEntry("failure", 0L);
    }
  }
}
