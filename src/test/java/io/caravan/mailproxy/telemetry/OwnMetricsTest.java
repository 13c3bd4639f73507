package io.caravan.mailproxy.telemetry;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The metrics beyond the documented ones. */
class OwnMetricsTest {
  @TempDir Path home;

  @Test
  void they_tell_times_limits_doubts_and_what_is_to_come() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy =
            TestProxy.start(
                home,
                "telemetry.count-seconds",
                "1",
                "retry.delays",
                "600",
                "queue.ram.concurrencyremote",
                "8")) {
      proxy.post("/tenant", Map.of("id", "t", "client_base_url", "http://127.0.0.1:9"));
      proxy.relayAccount("t", "main", relay.port(), "limit_per_hour", 20);
      proxy.relayAccount("other", "main", relay.port(), "limit_per_hour", 30);
      proxy.relayAccount("t", "held", relay.port());
      proxy.post("/commands/suspend?tenant_id=t&account_id=held", "");
      Metrics before = Metrics.of(proxy);
      assertThat(before.of("mailproxy_queue_drain_seconds")).isZero();
      assertThat(before.of("mailproxy_attempts_uncertain_total{account_id=\"main\"}")).isZero();

      proxy.submit(message("t", "held", "waits"));
      await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(
              () -> assertThat(Metrics.of(proxy).of("mailproxy_queue_drain_seconds")).isInfinite());
      proxy.submit(
          List.of(
              message("t", "main", "m-1"),
              message("t", "main", "m-2"),
              message("t", "main", "m-3", "to", List.of("dropdot@x.test"))));
      await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(
              () -> {
                Metrics now = Metrics.of(proxy);
                String main = "{account_id=\"main\"";
                assertThat(now.of("mailproxy_attempts_uncertain_total" + main + "}")).isEqualTo(1);
                assertThat(now.of("mailproxy_rate_used" + main + ",window=\"hour\"}")).isEqualTo(3);
                assertThat(now.of("mailproxy_rate_allowed" + main + ",window=\"hour\"}"))
                    .as("of the tenant whose window is the fullest")
                    .isEqualTo(20);
                assertThat(now.mentions("window=\"day\"")).isFalse();
                assertThat(now.of("mailproxy_queue_seconds_count{queue=\"ram\"}")).isEqualTo(3);
                for (String phase : List.of("connect", "mail", "rcpt", "data", "body", "dot")) {
                  assertThat(now.of("mailproxy_attempt_seconds_count{phase=\"" + phase + "\"}"))
                      .as(phase)
                      .isEqualTo(3);
                }
                assertThat(now.of("mailproxy_attempt_seconds_bucket{phase=\"dot\",le=\"+Inf\"}"))
                    .isEqualTo(3);
                assertThat(now.of("mailproxy_account_health" + main + ",state=\"ok\"}"))
                    .isEqualTo(1);
                assertThat(now.of("mailproxy_commit_seconds_count")).isGreaterThan(3);
                assertThat(now.of("mailproxy_commit_works_sum"))
                    .isGreaterThanOrEqualTo(now.of("mailproxy_commit_works_count"));
                assertThat(now.of("mailproxy_queue_drain_seconds"))
                    .isPositive()
                    .isLessThan(Double.POSITIVE_INFINITY);
              });
    }
  }

  @Test
  void what_waits_in_memory_grows_old() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy = TestProxy.start(home, "queue.ram.concurrencyremote", "1")) {
      relay.script = step -> step.is(".") ? ScriptedSmtpServer.HANG : null;
      proxy.relayAccount("t", "main", relay.port());
      proxy.submit(List.of(message("t", "main", "m-1"), message("t", "main", "m-2")));
      String oldest = "mailproxy_queue_oldest_due_seconds{queue=\"ram\"}";
      await().atMost(Duration.ofSeconds(30)).until(() -> Metrics.of(proxy).of(oldest) > 0.2);
      relay.dropAll();
      relay.script = step -> null;
      await().atMost(Duration.ofSeconds(30)).until(() -> Metrics.of(proxy).of(oldest) == 0);
    }
  }
}
