package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.TestApplication;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** routes/outcome.camel.yaml: who hears of a recorded attempt. */
class OutcomeTest {
  @TempDir Path home;
  private ScriptedSmtpServer relay;

  @BeforeEach
  void start() throws Exception {
    relay = new ScriptedSmtpServer();
  }

  @AfterEach
  void stop() throws Exception {
    relay.close();
  }

  private void submitOneOfEach(TestProxy proxy) {
    proxy.relayAccount("acme", "a", relay.port());
    proxy.submit(
        List.of(
            message("acme", "a", "good"),
            message("acme", "a", "bad", "to", List.of("550@x.test", "ok@x.test")),
            message("acme", "a", "grey", "to", List.of("450@x.test", "ok@x.test"))));
    History.awaitState(proxy, "acme", "good", "sent");
    History.awaitState(proxy, "acme", "bad", "error");
    History.awaitState(proxy, "acme", "grey", "deferred");
  }

  @Test
  void each_outcome_is_counted_and_reported_once() {
    try (LogLines log = new LogLines();
        TestApplication application = new TestApplication();
        TestProxy proxy = TestProxy.start(home, "retry.delays", "60", "retry.jitter", "0")) {
      proxy.post("/tenant", Map.of("id", "acme", "client_base_url", application.url()));
      submitOneOfEach(proxy);

      await()
          .untilAsserted(
              () ->
                  assertThat(proxy.get("/metrics").body())
                      .contains("gmp_sent_total{account_id=\"a\"} 1.0\n")
                      .contains("gmp_errors_total{account_id=\"a\"} 1.0\n")
                      .contains("gmp_deferred_total{account_id=\"a\"} 1.0\n")
                      .contains("gmp_pending_messages 1.0\n"));
      await()
          .untilAsserted(
              () ->
                  assertThat(application.events())
                      .extracting(event -> event.path("id").asText())
                      .containsExactlyInAnyOrder("good", "bad", "grey"));
      assertThat(log.lines())
          .containsOnlyOnce("INFO Message good sent via a")
          .containsOnlyOnce("ERROR SMTP error for bad: 550 as asked")
          .containsOnlyOnce(
              "WARN Temporary error for grey, attempt 1, trying again in 60 s: 450 as asked");
    }
  }

  @Test
  void outcomes_stand_in_the_store_when_nobody_is_told() {
    TestProxy.route(home, "outcome.camel.yaml", "[]\n");
    try (TestProxy proxy = TestProxy.start(home)) {
      submitOneOfEach(proxy);
      assertThat(History.recipients(proxy, "acme", "bad"))
          .containsExactly("550@x.test failed 550", "ok@x.test sent 250");
    }
  }
}
