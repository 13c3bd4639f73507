package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every HTTP answer counts once, under the category of its route (DECISIONS, "Meters"). */
class HttpMetersTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String LONG = "x".repeat(20_000);

  @TempDir Path home;

  @Test
  void every_http_answer_counts_once_under_its_category() {
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.sandboxAccount("acme", "main");
      Metrics before = Metrics.of(proxy);
      proxy.submit(message("acme", "main", "m"));
      proxy.post("/commands/add-messages", "no json");
      proxy.get("/health");
      proxy.get("/messages?tenant_id=acme");
      proxy.get("/nowhere");
      proxy.get("/commands/add-messages");
      proxy.delete("/account/unknown?tenant_id=acme");
      await()
          .atMost(SOON)
          .untilAsserted(
              () -> {
                Metrics now = Metrics.of(proxy);
                assertThat(requests(now, "inject") - requests(before, "inject")).isEqualTo(2);
                assertThat(requests(now, "engine_api") - requests(before, "engine_api"))
                    .isEqualTo(2);
                assertThat(requests(now, "other") - requests(before, "other")).isEqualTo(2);
                assertThat(requests(now, "engine_stats") - requests(before, "engine_stats"))
                    .isGreaterThanOrEqualTo(1 + 1);
              });
      Metrics now = Metrics.of(proxy);
      assertThat(now.of("http_request_duration_seconds_bucket{category=\"inject\",le=\"+Inf\"}"))
          .isEqualTo(requests(now, "inject"));
      assertThat(now.of("http_request_duration_seconds_sum{category=\"inject\"}")).isPositive();
      assertThat(now.mentions("http_request_duration_seconds_max")).isFalse();
    }
  }

  @Test
  void what_is_no_http_is_answered_and_counted_and_no_answer_is_not() throws Exception {
    try (TestProxy proxy = TestProxy.start(home)) {
      assertRefused(proxy, 1, "NONSENSE", 400);
      assertRefused(proxy, 2, "GET /%zz HTTP/1.1", 400);
      assertRefused(proxy, 3, "GET / HTTP/9.9", 501);
      assertRefused(proxy, 4, "GET /" + LONG + " HTTP/1.1", 414);
      assertRefused(proxy, 5, "GET / HTTP/1.1\r\nBig: " + LONG, 431);
      assertRefused(proxy, 6, "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2", 400);

      String chunk =
          "POST /commands/run-now HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n";
      assertThat(RawHttp.send(proxy.proxy().uri(), chunk)).isEmpty();
      for (String half : List.of("GET /nowh", "GET /nowhere HTTP/1.1\r\nHos")) {
        assertThat(RawHttp.sendAndEnd(proxy.proxy().uri(), half)).as(half).isEmpty();
      }
      proxy.get("/nowhere");
      await().atMost(SOON).until(() -> requests(Metrics.of(proxy), "other") >= 7);
      assertThat(requests(Metrics.of(proxy), "other")).isEqualTo(7);
    }
  }

  /** What the server refuses before a path is looked at; {@code counted} is the number of such. */
  private static void assertRefused(TestProxy proxy, int counted, String head, int status)
      throws Exception {
    assertThat(RawHttp.send(proxy.proxy().uri(), head + "\r\nConnection: close\r\n\r\n"))
        .matches("HTTP/[\\d.]+ " + status + " (?s).*");
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> assertThat(requests(Metrics.of(proxy), "other")).as(head).isEqualTo(counted));
  }

  @Test
  void a_request_lasts_from_its_head_and_tells_its_trace() throws Exception {
    String trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    try (TestProxy proxy = TestProxy.start(home);
        Socket socket =
            new Socket(InetAddress.getLoopbackAddress(), proxy.proxy().uri().getPort())) {
      String head =
          "POST /commands/add-messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
              + "Content-Type: application/json\r\nContent-Length: 15\r\nX-API-Token: "
              + TestProxy.TOKEN
              + "\r\ntraceparent: 00-"
              + trace
              + "-00f067aa0ba902b7-01\r\n\r\n{";
      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      await().during(Duration.ofMillis(700)).until(() -> true); // a client that takes its time
      socket.getOutputStream().write("\"messages\":[]}".getBytes(StandardCharsets.US_ASCII));
      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .startsWith("HTTP/1.1 ");

      await().atMost(SOON).until(() -> requests(Metrics.of(proxy), "inject") == 1);
      assertThat(Metrics.of(proxy).of("http_request_duration_seconds_sum{category=\"inject\"}"))
          .isGreaterThan(0.6);
      String open =
          proxy
              .send(
                  proxy
                      .request("/metrics")
                      .header("Accept", "application/openmetrics-text")
                      .build())
              .body();
      assertThat(open.lines().filter(line -> line.contains("# {trace_id=\"" + trace + "\"}")))
          .isNotEmpty()
          .allMatch(line -> line.startsWith("http_request_duration_seconds_bucket{"));
    }
  }

  @Test
  void meters_that_ride_along_can_be_left_behind() {
    try (TestProxy proxy =
        TestProxy.start(home, "telemetry.camel-meters", "false", "telemetry.jvm-meters", "false")) {
      proxy.get("/nowhere");
      Metrics now = Metrics.of(proxy);

      assertThat(requests(now, "other")).isEqualTo(1);
      assertThat(now.mentions("camel_")).isFalse();
      assertThat(now.mentions("jvm_")).isFalse();
    }
  }

  private static double requests(Metrics metrics, String category) {
    return metrics.of("http_request_duration_seconds_count{category=\"" + category + "\"}");
  }
}
