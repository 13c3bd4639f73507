package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.TestApplication;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A message whose time is over ends, wherever it waits. */
class ExpiryTest {
  @TempDir Path home;

  @Test
  void a_message_ends_at_its_own_time_or_at_the_greatest_age() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestApplication application = new TestApplication();
        LogLines log = new LogLines();
        TestProxy proxy =
            TestProxy.start(home, "message.expiry-seconds", "1", "message.max-age-seconds", "4")) {
      proxy.post("/tenant", Map.of("id", "acme", "client_base_url", application.url()));
      proxy.relayAccount("acme", "a", relay.port());
      proxy.relayAccount("acme", "closed", relay.port());
      long now = Instant.now().getEpochSecond();
      proxy.post("/commands/suspend?tenant_id=acme&account_id=closed", "");
      proxy.post("/commands/suspend?tenant_id=acme&account_id=a&batch_code=B", "");
      List<Map<String, Object>> aged = new ArrayList<>();
      for (int i = 0; i < 250; i++) {
        aged.add(message("acme", "closed", "aged-" + i));
      }
      proxy.submit(aged);
      proxy.submit(
          List.of(
              message("acme", "a", "past", "expires_ts", now - 60),
              message("acme", "closed", "closed", "expires_ts", now + 1),
              message("acme", "a", "deferred", "deferred_ts", now + 600, "expires_ts", now + 1),
              message("acme", "a", "held", "batch_code", "B", "expires_ts", now + 1),
              message("acme", "a", "fine", "expires_ts", now + 600)));

      for (String id : List.of("past", "closed", "deferred", "held", "aged-0", "aged-249")) {
        History.awaitState(proxy, "acme", id, "error");
        assertThat(History.types(proxy, "acme", id)).containsExactly("expired", "error");
        assertThat(proxy.message("acme", id).path("error").asText())
            .isEqualTo("reader@example.test: expired");
        assertThat(History.recipients(proxy, "acme", id))
            .containsExactly("reader@example.test expired 0");
      }
      assertThat(proxy.message("acme", "aged-0").path("error_ts").asLong())
          .as("not before its time")
          .isGreaterThanOrEqualTo(now + 4);
      History.awaitState(proxy, "acme", "fine", "sent");
      assertThat(relay.mails).hasSize(1);
      await()
          .untilAsserted(() -> assertThat(Metrics.of(proxy).of("gmp_pending_messages")).isZero());
      assertThat(Metrics.of(proxy).of("gmp_errors_total{account_id=\"a\"}")).isEqualTo(3);
      assertThat(Metrics.of(proxy).of("gmp_errors_total{account_id=\"closed\"}")).isEqualTo(251);
      assertThat(log.lines())
          .containsOnlyOnce("WARN Message past not sent: expired")
          .containsOnlyOnce("WARN Message held not sent: expired");
      await()
          .untilAsserted(
              () ->
                  assertThat(application.events())
                      .filteredOn(event -> event.path("id").asText().equals("held"))
                      .extracting(event -> event.path("error").asText())
                      .containsExactly("reader@example.test: expired"));
      await()
          .untilAsserted(
              () -> assertThat(proxy.exchanges("give-up")).as("rounds that end").isPositive());
    }
  }

  @Test
  void what_is_over_ends_as_it_starts_or_in_the_next_round_all_of_it() throws Exception {
    int many = 450;
    long soon = Instant.now().getEpochSecond() + 1;
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestApplication application = new TestApplication()) {
      try (TestProxy proxy = TestProxy.start(home, "message.expiry-seconds", "600")) {
        proxy.post("/tenant", Map.of("id", "acme", "client_base_url", application.url()));
        proxy.relayAccount("acme", "a", relay.port());
        proxy.submit(message("acme", "a", "past", "expires_ts", soon - 60));
        History.awaitState(proxy, "acme", "past", "error");
        assertThat(History.types(proxy, "acme", "past")).containsExactly("expired", "error");
        await().untilAsserted(() -> assertThat(application.events()).hasSize(1));
        await().untilAsserted(() -> assertThat(proxy.exchanges("send-report")).isPositive());
        proxy.submit(message("acme", "a", "past-too", "expires_ts", soon - 60));
        await().untilAsserted(() -> assertThat(application.events()).hasSize(2));
        await().untilAsserted(() -> assertThat(proxy.exchanges("on-failed")).isEqualTo(2));

        proxy.post("/commands/suspend?tenant_id=acme", "");
        List<Map<String, Object>> waiting = new ArrayList<>();
        for (int i = 0; i < many; i++) {
          waiting.add(message("acme", "a", "waits-" + i, "expires_ts", soon));
        }
        proxy.submit(waiting);
      }
      await().until(() -> Instant.now().getEpochSecond() > soon);
      try (TestProxy proxy = TestProxy.start(home, "message.expiry-seconds", "600")) {
        await()
            .untilAsserted(() -> assertThat(Metrics.of(proxy).of("gmp_pending_messages")).isZero());
        assertThat(relay.mails).isEmpty();
      }
    }
  }
}
