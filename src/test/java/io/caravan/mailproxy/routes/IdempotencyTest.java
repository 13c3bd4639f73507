package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.endtoend.MovableClock;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Json;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** B51: the same request again, by its Idempotency-Key. */
class IdempotencyTest {
  @TempDir Path home;
  private TestProxy proxy;

  private HttpResponse<String> add(String token, String key, String id) {
    String body = Json.text(Map.of("messages", List.of(message("t", "a", id))));
    return proxy.send(
        HttpRequest.newBuilder(proxy.uri("/commands/add-messages"))
            .header("X-API-Token", token)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", key)
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build());
  }

  private static boolean replayed(HttpResponse<String> answer) {
    return answer
        .headers()
        .firstValue("Idempotency-Replayed")
        .equals(java.util.Optional.of("true"));
  }

  @Test
  void a_request_that_came_before_is_answered_as_then() throws Exception {
    MovableClock.wire(home);
    String token;
    try (TestProxy first = TestProxy.start(home)) {
      proxy = first;
      token = json(proxy.post("/tenant", Map.of("id", "t"))).path("api_key").textValue();
      proxy.sandboxAccount("t", "a");

      HttpResponse<String> once = add(token, "k-1", "m-1");
      assertThat(once.body()).isEqualTo("{\"ok\":true,\"queued\":1,\"rejected\":[]}");
      assertThat(replayed(once)).isFalse();
      await().until(() -> proxy.state("t", "m-1").equals("sent"));
      HttpResponse<String> again = add(token, "k-1", "m-1");
      assertThat(again.body()).as("not: already sent").isEqualTo(once.body());
      assertThat(replayed(again)).isTrue();
      assertThat(proxy.get("/command-log?endpoint_filter=addMessages&limit=9").body())
          .as("nothing was asked for anew")
          .contains("\"total\":1");

      HttpResponse<String> other = add(token, "k-1", "m-2");
      assertThat(other.statusCode()).isEqualTo(422);
      assertThat(json(other).path("code").asText()).isEqualTo("idempotency_key_reuse");
      assertThat(replayed(add(TestProxy.TOKEN, "k-1", "m-1"))).as("of another caller").isFalse();
      for (String wrong : List.of("k".repeat(256), "a b")) {
        assertThat(add(token, wrong, "m-3").statusCode()).as(wrong).isEqualTo(400);
      }
      String head =
          "POST /commands/add-messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
              + "Content-Type: application/json\r\nContent-Length: 15\r\nX-API-Token: ";
      assertThat(
              RawHttp.send(
                  proxy.proxy().uri(),
                  head + token + "\r\nIdempotency-Key: k\u00e9y\r\n\r\n{\"messages\":[]}"))
          .startsWith("HTTP/1.1 400");
    }
    try (TestProxy second = TestProxy.start(home)) {
      proxy = second;
      assertThat(replayed(add(token, "k-1", "m-1"))).as("after a restart").isTrue();

      List<CompletableFuture<HttpResponse<String>>> racing = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        racing.add(CompletableFuture.supplyAsync(() -> add(token, "k-2", "m-4")));
      }
      long fresh = racing.stream().map(CompletableFuture::join).filter(a -> !replayed(a)).count();
      assertThat(fresh).isEqualTo(1);

      MovableClock.advance(Duration.ofHours(25));
      assertThat(add(token, "k-1", "m-9").statusCode()).as("a day later").isEqualTo(200);
    }
  }
}
