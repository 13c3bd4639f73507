package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.ConfigurationException;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Settings that cannot be meant stop the start; bodies that are too much at once wait outside. */
class StartAndRoomTest {
  @TempDir Path home;

  @ParameterizedTest
  @CsvSource({"retry.delays,'60,soon'", "retry.delays,-1", "retry.jitter,7", "retry.jitter,often"})
  void a_wrong_number_stops_the_start(String key, String value) {
    assertThatThrownBy(() -> TestProxy.start(home, key, value).close())
        .isInstanceOf(ConfigurationException.class);
  }

  @Test
  void more_bytes_than_may_be_taken_in_at_once_are_asked_to_come_again() throws Exception {
    try (TestProxy proxy = TestProxy.start(home, "intake.max-bytes", "20000")) {
      proxy.sandboxAccount("acme", "a");
      CompletableFuture<Void> large;
      try (Connection writer = proxy.holdCommits()) {
        assertThat(writer.isClosed()).isFalse();
        large =
            CompletableFuture.runAsync(
                () -> proxy.submit(message("acme", "a", "large", "body", "x".repeat(30_000))));
        await().until(() -> Metrics.of(proxy).of("simplemh_http_queue_bytes") > 30_000);

        HttpResponse<String> answer =
            proxy.post(
                "/commands/add-messages",
                Map.of("messages", List.of(message("acme", "a", "small"))));
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("Retry-After")).contains("1");
      }
      large.join();
      await().until(() -> Metrics.of(proxy).of("simplemh_http_queue_bytes") == 0);
      for (int i = 0; i < 5; i++) {
        proxy.submit(message("acme", "a", "small-" + i));
      }
    }
  }
}
