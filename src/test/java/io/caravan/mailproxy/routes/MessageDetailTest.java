package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.queue.Lanes;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** GET /messages/{id}: what became of a message, why it waits and when it goes on. */
class MessageDetailTest {
  @TempDir Path home;

  private static JsonNode detail(TestProxy proxy, String id) {
    return json(
        proxy.get(
            "/messages/"
                + URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20")
                + "?tenant_id=acme"));
  }

  @Test
  void it_says_why_a_message_waits_and_when_it_goes_on() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy = TestProxy.start(home, "retry.delays", "600", "retry.jitter", "0")) {
      relay.script = step -> step.line().contains("hang@") ? ScriptedSmtpServer.HANG : null;
      proxy.relayAccount("acme", "a", relay.port());
      proxy.relayAccount("acme", "one", relay.port(), "max_connections", 1);
      proxy.relayAccount("acme", "limited", relay.port());
      proxy.relayAccount("acme", "broken", relay.port());
      long now = Instant.now().getEpochSecond();
      close(proxy, "limited", "limit:3600", (now + 1000) * 1000);
      close(proxy, "broken", "circuit", (now + 30) * 1000);
      proxy.submit(
          List.of(
              message("acme", "a", "sent / 1"),
              message("acme", "a", "later", "deferred_ts", now + 500),
              message("acme", "a", "grey", "to", List.of("450@x.test")),
              message("acme", "one", "sending", "from", "hang@x.test"),
              message("acme", "one", "behind"),
              message("acme", "limited", "limited"),
              message("acme", "broken", "broken"),
              message("acme", "broken", "tomorrow", "deferred_ts", now + 86_400)));
      History.awaitState(proxy, "acme", "sent / 1", "sent");
      History.awaitState(proxy, "acme", "grey", "deferred");
      await().untilAsserted(() -> assertThat(relay.count("MAIL FROM:<HANG@")).isEqualTo(1));

      JsonNode sent = detail(proxy, "sent / 1");
      assertThat(sent.path("ok").asBoolean()).isTrue();
      assertThat(sent.has("waiting")).isFalse();
      assertThat(sent.path("events").get(0).path("event_type").asText()).isEqualTo("sent");
      JsonNode listed = proxy.message("acme", "sent / 1");
      assertThat(sent.path("events")).isEqualTo(listed.path("history"));
      assertThat(sent.path("recipients")).isEqualTo(listed.path("recipients"));

      assertThat(waiting(proxy, "later"))
          .isEqualTo("deferred " + (now + 500) + " deferred_ts of the message");
      JsonNode grey = detail(proxy, "grey");
      assertThat(waiting(proxy, "grey"))
          .isEqualTo("retry " + grey.path("deferred_ts").asLong() + " 450@x.test: 450 as asked");
      assertThat(waiting(proxy, "sending")).isEqualTo("sending 0 ");
      assertThat(waiting(proxy, "behind"))
          .isEqualTo("queued 0 waits for its turn: for mail before it, a connection or a slot");
      assertThat(waiting(proxy, "limited"))
          .isEqualTo("limited " + (now + 1000) + " the limit is spent");
      assertThat(waiting(proxy, "broken"))
          .isEqualTo(
              "circuit " + (now + 30) + " the account's relay refuses connections or the log-in");
      assertThat(waiting(proxy, "tomorrow"))
          .as("what ends last is why")
          .isEqualTo("deferred " + (now + 86_400) + " deferred_ts of the message");

      assertThat(proxy.get("/messages/none?tenant_id=acme").statusCode()).isEqualTo(404);
      assertThat(proxy.get("/messages/later?tenant_id=other").statusCode()).isEqualTo(404);
      assertThat(proxy.get("/messages/later?tenant_id=").statusCode()).isEqualTo(400);
      assertThat(proxy.get("/messages/later").statusCode()).isEqualTo(422);
      relay.dropAll();
    }
  }

  private static void close(TestProxy proxy, String account, String cause, long until) {
    long pk =
        proxy.proxy().bean("registry", Registry.class).account("acme", account).orElseThrow().pk();
    proxy.proxy().bean("lanes", Lanes.class).close(pk, cause, until);
  }

  private static String waiting(TestProxy proxy, String id) {
    JsonNode waiting = detail(proxy, id).path("waiting");
    return waiting.path("state").asText()
        + " "
        + waiting.path("next_attempt_ts").asLong()
        + " "
        + waiting.path("reason").asText();
  }
}
