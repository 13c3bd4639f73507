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
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** on_uncertain: what perhaps arrived waits for somebody to say. */
class HoldTest {
  @TempDir Path home;

  @Test
  void what_perhaps_arrived_waits_until_somebody_says_what_became_of_it() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy = TestProxy.start(home, "retry.delays", "0")) {
      relay.script =
          step -> step.is(".") && relay.mails.size() <= 4 ? ScriptedSmtpServer.DROP : null;
      proxy.relayAccount("acme", "a", relay.port(), "max_connections", 1);
      for (String id : List.of("sent", "failed", "again")) {
        proxy.submit(message("acme", "a", id, "on_uncertain", "hold"));
        awaitHeld(proxy, id);
      }
      proxy.submit(
          message(
              "acme",
              "a",
              "mixed",
              "on_uncertain",
              "hold",
              "to",
              List.of("fine@x.test", "grey1+x@x.test", "550@x.test")));
      awaitHeld(proxy, "mixed");
      assertThat(History.recipients(proxy, "acme", "mixed"))
          .as("the second attempt was for the second recipient alone")
          .containsExactly(
              "fine@x.test uncertain 0", "grey1+x@x.test sent 250", "550@x.test failed 550");
      assertThat(relay.mails).hasSize(5);
      assertThat(json(proxy.get("/messages/sent?tenant_id=acme")).path("waiting").toString())
          .isEqualTo("{\"state\":\"held\",\"rule\":\"__default\",\"reason\":\"uncertain\"}");
      assertThat(History.types(proxy, "acme", "sent")).containsExactly("uncertain");
      assertThat(Metrics.of(proxy).of("gmp_pending_messages")).isEqualTo(4);

      assertThat(resolve(proxy, "sent", "perhaps").statusCode()).isEqualTo(422);
      assertThat(proxy.post("/messages/sent/resolve?tenant_id=acme", Map.of()).statusCode())
          .isEqualTo(422);
      assertThat(resolve(proxy, "nobody", "sent").statusCode()).isEqualTo(404);
      for (String id : List.of("sent", "failed", "mixed")) {
        HttpResponse<String> answer = resolve(proxy, id, id.equals("mixed") ? "sent" : id);
        assertThat(answer.body()).isEqualTo("{\"ok\":true}");
      }
      assertThat(resolve(proxy, "sent", "sent").statusCode()).as("twice").isEqualTo(409);
      resolve(proxy, "again", "retry");

      assertThat(proxy.state("acme", "sent")).isEqualTo("sent");
      assertThat(proxy.state("acme", "failed")).isEqualTo("error");
      assertThat(proxy.message("acme", "mixed").path("error").asText())
          .isEqualTo("550@x.test: 550 as asked");
      assertThat(History.recipients(proxy, "acme", "mixed")).contains("fine@x.test sent 0");
      History.awaitState(proxy, "acme", "again", "sent");
      assertThat(relay.mails).hasSize(6);
      assertThat(relay.mails.get(5).content()).isEqualTo(relay.mails.get(2).content());
      await()
          .untilAsserted(() -> assertThat(Metrics.of(proxy).of("gmp_pending_messages")).isZero());
      assertThat(Metrics.of(proxy).of("gmp_errors_total{account_id=\"a\"}")).isEqualTo(2);
      await().untilAsserted(() -> assertThat(proxy.exchanges("on-sent")).isEqualTo(2));
      assertThat(proxy.exchanges("on-failed")).isEqualTo(2);
      assertThat(Metrics.of(proxy).of("gmp_sent_total{account_id=\"a\"}")).isEqualTo(2);
    }
  }

  @Test
  void an_account_may_hold_and_a_message_may_say_otherwise() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy = TestProxy.start(home, "retry.delays", "0")) {
      relay.script =
          step -> step.is(".") && relay.mails.size() <= 2 ? ScriptedSmtpServer.DROP : null;
      proxy.relayAccount("acme", "a", relay.port(), "on_uncertain", "hold");
      proxy.submit(message("acme", "a", "as-the-account"));
      awaitHeld(proxy, "as-the-account");
      proxy.submit(message("acme", "a", "tried-again", "on_uncertain", "retry"));
      History.awaitState(proxy, "acme", "tried-again", "sent");
      assertThat(History.types(proxy, "acme", "tried-again"))
          .containsExactly("uncertain", "deferred", "sent");
      JsonNode rejected =
          json(proxy.post(
                  "/commands/add-messages",
                  Map.of(
                      "messages",
                      List.of(message("acme", "a", "wrong", "on_uncertain", "perhaps")))))
              .path("detail")
              .path("rejected");
      assertThat(rejected.get(0).path("code").asText()).isEqualTo("invalid_on_uncertain");
    }
  }

  private static HttpResponse<String> resolve(TestProxy proxy, String id, String outcome) {
    return proxy.post("/messages/" + id + "/resolve?tenant_id=acme", Map.of("outcome", outcome));
  }

  private static void awaitHeld(TestProxy proxy, String id) {
    await()
        .untilAsserted(
            () ->
                assertThat(
                        json(proxy.get("/messages/" + id + "?tenant_id=acme"))
                            .path("waiting")
                            .path("state")
                            .asText())
                    .isEqualTo("held"));
  }
}
