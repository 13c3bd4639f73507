package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.TestApplication;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** POST /commands/dump-messages: what waits is dropped when its attempt starts. */
class DumpTest {
  @TempDir Path home;

  @Test
  void what_was_accepted_before_is_dropped_as_it_starts_and_later_mail_is_not() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestApplication application = new TestApplication();
        LogLines log = new LogLines()) {
      try (TestProxy proxy = TestProxy.start(home)) {
        proxy.post("/tenant", Map.of("id", "acme", "client_base_url", application.url()));
        proxy.relayAccount("acme", "a", relay.port());
        order(proxy, "suspend?tenant_id=acme");
        proxy.submit(
            List.of(
                message("acme", "a", "old-1", "batch_code", "spring"),
                message("acme", "a", "old-2", "batch_code", "spring"),
                message("acme", "a", "kept", "batch_code", "winter")));
        String answer = order(proxy, "dump-messages?tenant_id=acme&batch_code=spring&reason=typo");
        assertThat(answer)
            .isEqualTo(
                "{\"ok\":true,\"tenant_id\":\"acme\",\"batch_code\":\"spring\",\"pending_messages\":2}");
        proxy.submit(message("acme", "a", "new", "batch_code", "spring"));
        assertThat(proxy.get("/status").body())
            .as("what is suspended does not start, and is not dropped")
            .contains("\"pending_messages\":4");
      }
      try (TestProxy proxy = TestProxy.start(home)) {
        assertThat(json(proxy.get("/suspensions")).path("dumps"))
            .extracting(dump -> dump.path("reason").asText())
            .containsExactly("typo");
        order(proxy, "activate?tenant_id=acme");

        for (String id : List.of("old-1", "old-2")) {
          History.awaitState(proxy, "acme", id, "error");
          assertThat(History.types(proxy, "acme", id)).containsExactly("cancelled", "error");
          assertThat(History.recipients(proxy, "acme", id))
              .containsExactly("reader@example.test cancelled 0");
        }
        History.awaitState(proxy, "acme", "kept", "sent");
        History.awaitState(proxy, "acme", "new", "sent");
        assertThat(relay.mails).hasSize(2);
        await()
            .untilAsserted(
                () ->
                    assertThat(application.events())
                        .filteredOn(event -> event.has("error"))
                        .extracting(event -> event.path("error").asText())
                        .containsExactly(
                            "reader@example.test: cancelled", "reader@example.test: cancelled"));
        Metrics now = Metrics.of(proxy);
        assertThat(now.of("remote_attempts_dump")).isEqualTo(2);
        assertThat(now.sum("remote_delivery_attempts_total", "result=\"dump"))
            .as("R10")
            .isEqualTo(2);
        assertThat(now.of("remote_attempts_started"))
            .as("R11, at rest")
            .isEqualTo(now.sum("remote_delivery_attempts_total"));
        assertThat(now.of("gmp_errors_total{account_id=\"a\"}")).isEqualTo(2);
        await().untilAsserted(() -> assertThat(proxy.exchanges("on-failed")).isEqualTo(2));
        assertThat(log.lines()).containsOnlyOnce("WARN Message old-1 not sent: cancelled");
        await().until(() -> json(proxy.get("/suspensions")).path("dumps").isEmpty());
      }
    }
  }

  @Test
  void an_order_holds_at_once() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port());
      order(proxy, "suspend?tenant_id=acme");
      proxy.submit(message("acme", "a", "old"));
      order(proxy, "dump-messages?tenant_id=acme");
      order(proxy, "activate?tenant_id=acme");
      History.awaitState(proxy, "acme", "old", "error");
      assertThat(History.types(proxy, "acme", "old")).containsExactly("cancelled", "error");
      assertThat(relay.mails).isEmpty();
    }
  }

  private static String order(TestProxy proxy, String command) {
    HttpResponse<String> answer = proxy.post("/commands/" + command, "");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return answer.body();
  }

  @Test
  void a_filter_that_is_blank_or_mistyped_does_not_stand_for_all() throws Exception {
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.sandboxAccount("acme", "main");
      for (String slip :
          List.of("batch_code=", "account_id=", "acount_id=main", "until_ts=99", "throttle=")) {
        assertThat(proxy.post("/commands/dump-messages?tenant_id=acme&" + slip, "").statusCode())
            .as(slip)
            .isEqualTo(422);
      }
      assertThat(TestProxy.json(proxy.get("/suspensions")).path("dumps")).isEmpty();
    }
  }
}
