package io.caravan.mailproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.endtoend.TestProxy;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A secret from the environment is taken letter by letter, whatever it looks like. */
class SecretsOfAnyFormTest {
  @TempDir Path home;

  @ParameterizedTest
  @ValueSource(
      strings = {"123456", "true", "a,b", "it's", "'quoted'", "\"q\"", "a b", "{x}", "a=b&c%41"})
  void is_taken_as_it_is(String secret) throws Exception {
    try (SyncEndpoint endpoint = new SyncEndpoint();
        TestProxy proxy =
            TestProxy.start(
                home,
                "api.token",
                secret,
                "client.sync-url",
                endpoint.url(),
                "client.sync-user",
                secret,
                "client.sync-password",
                secret,
                "sync.retry-delays",
                "0")) {
      HttpRequest status =
          HttpRequest.newBuilder(proxy.uri("/status")).header("X-API-Token", secret).build();
      assertThat(proxy.send(status).statusCode()).isEqualTo(200);
      HttpRequest tenant =
          HttpRequest.newBuilder(proxy.uri("/tenant"))
              .header("X-API-Token", secret)
              .header("Content-Type", "application/json")
              .POST(
                  HttpRequest.BodyPublishers.ofString(
                      io.caravan.mailproxy.http.Json.text(Map.of("id", "t"))))
              .build();
      assertThat(proxy.send(tenant).statusCode()).isEqualTo(200);

      await().until(() -> !endpoint.calls.isEmpty());
      assertThat(endpoint.calls.get(0).authorization())
          .isEqualTo(
              "Basic "
                  + Base64.getEncoder()
                      .encodeToString((secret + ":" + secret).getBytes(StandardCharsets.UTF_8)));
    }
  }
}
