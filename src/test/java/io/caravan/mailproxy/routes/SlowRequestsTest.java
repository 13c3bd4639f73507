package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.TOKEN;
import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Json;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the HTTP server does with requests that come slowly, or that are none (B44 to B46). */
class SlowRequestsTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String HEALTH = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

  /** The body of the answer that takes long. */
  private static final String CHUNKED = "4\r\nmine\r\n0\r\n\r\n";

  /** What would be done if it were taken for a request of its own. */
  private static final String SMUGGLED =
      "POST /tenant HTTP/1.1\r\nHost: x\r\nX-API-Token: "
          + TOKEN
          + "\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"id\":\"smuggled\"}";

  @TempDir static Path home;
  private static TestProxy proxy;
  private static URI server;

  @BeforeAll
  static void start() {
    TestProxy.route(
        home,
        "mine.camel.yaml",
        """
        - route:
            id: mine
            routeConfigurationId: http
            from:
              uri: platform-http:/mine
              steps:
                - removeHeaders: { pattern: "*" }
                - delay: { expression: { constant: { expression: "4500" } } }
                - setBody: { expression: { constant: { expression: "mine" } } }
        """);
    proxy =
        TestProxy.start(
            home, "http.head-seconds", "1", "http.body-seconds", "1", "http.idle-seconds", "3");
    server = proxy.proxy().uri();
  }

  @AfterAll
  static void stop() {
    proxy.close();
  }

  private static double others() {
    return Metrics.of(proxy).of("http_request_duration_seconds_count{category=\"other\"}");
  }

  private static void assertRefused(String answer, int status, String code) {
    assertThat(answer)
        .startsWith("HTTP/1.1 " + status + " ")
        .contains("\r\nContent-Type: application/problem+json\r\n", "\r\nConnection: close\r\n");
    String[] parts = answer.split("\r\n\r\n", 2);
    assertThat(parts[1]).as("nothing after it").doesNotContain("\r\n");
    JsonNode body = Json.tree(parts[1]);
    assertThat(body.path("status").asInt()).isEqualTo(status);
    assertThat(body.path("code").asText()).isEqualTo(code);
    assertThat(body.path("detail").asText()).isNotBlank();
    assertThat(parts[0]).contains("\r\nX-Request-Id: " + body.path("request_id").asText());
  }

  @Test
  void B44_who_sends_byte_by_byte_is_answered_408_and_others_go_on() throws Exception {
    double before = others();
    List<Socket> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 25; i++) {
        Socket head = RawHttp.connect(server);
        slow.add(head);
        RawHttp.write(head, "GET /health HTTP/1.1\r\nX-A: ");
        Socket body = RawHttp.connect(server);
        slow.add(body);
        RawHttp.write(
            body,
            "POST /commands/run-now HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\nX-API-Token: "
                + TOKEN
                + "\r\n\r\n{");
      }
      for (Socket socket : slow) {
        await()
            .atMost(SOON)
            .pollInterval(Duration.ofMillis(20))
            .until(
                () -> {
                  for (Socket each : slow) {
                    if (each.getInputStream().available() == 0) {
                      RawHttp.write(each, "x");
                    }
                  }
                  assertThat(proxy.get("/health").statusCode()).isEqualTo(200);
                  return socket.getInputStream().available() > 0;
                });
      }
      for (Socket socket : slow) {
        assertRefused(RawHttp.rest(socket), 408, "request_timeout");
      }
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
    assertThat(others() - before).as("answers that no route gave").isEqualTo(slow.size());
  }

  @Test
  void a_connection_without_a_request_is_closed_without_a_word() throws Exception {
    double before = others();
    try (Socket silent = RawHttp.connect(server);
        Socket kept = RawHttp.connect(server)) {
      RawHttp.write(kept, HEALTH);
      assertThat(RawHttp.answer(kept)).startsWith("HTTP/1.1 200 ");
      assertThat(RawHttp.rest(silent)).isEmpty();
      assertThat(RawHttp.rest(kept)).isEmpty();
    }
    assertThat(others()).isEqualTo(before);
  }

  @Test
  void who_waits_for_answers_is_not_hurried() throws Exception {
    try (Socket kept = RawHttp.connect(server)) {
      String mine = "GET /mine HTTP/1.1\r\nHost: x\r\n\r\n";
      RawHttp.write(kept, HEALTH + mine + HEALTH + "GET /health HTTP/1.1\r\nHo");
      assertThat(RawHttp.answer(kept)).startsWith("HTTP/1.1 200 ");
      assertThat(RawHttp.answer(kept)).as("longer than all deadlines").startsWith("HTTP/1.1 200 ");
      assertThat(kept.getInputStream().readNBytes(CHUNKED.length())).asString().isEqualTo(CHUNKED);
      assertThat(RawHttp.answer(kept)).startsWith("HTTP/1.1 200 ");
      RawHttp.write(kept, "st: x\r\n\r\n");
      assertThat(RawHttp.answer(kept)).startsWith("HTTP/1.1 200 ");
      await().during(Duration.ofMillis(1_500)).until(() -> true); // longer than a head may take
      RawHttp.write(kept, HEALTH);
      assertThat(RawHttp.answer(kept)).startsWith("HTTP/1.1 200 ");
      RawHttp.write(kept, "POST /no-host HTTP/1.1\r\nContent-Length: 5\r\n\r\nxx");
      assertThat(RawHttp.answer(kept))
          .startsWith("HTTP/1.1 400 ")
          .contains("\r\nX-Request-Id: ")
          .doesNotContain("\"request_id\":\"\"");
      assertThat(RawHttp.rest(kept))
          .as("its answer is given: it is not told a second time")
          .isEmpty();
    }
  }

  @Test
  void who_takes_an_answer_slowly_is_left_alone_and_who_does_not_is_cut_off() throws Exception {
    MeterRegistry registry = proxy.proxy().bean("metricsRegistry", MeterRegistry.class);
    String large = "x".repeat(24 << 20); // more than is read, and than the kernel's buffers hold
    Gauge wide = Gauge.builder("wide", () -> 1).tag("label", large).register(registry);
    try (Socket slow = new Socket()) {
      slow.setReceiveBufferSize(65_536);
      slow.connect(new InetSocketAddress(server.getHost(), server.getPort()));
      slow.setSoTimeout(Math.toIntExact(SOON.toMillis()));
      RawHttp.write(slow, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
      await()
          .atMost(SOON)
          .pollInterval(Duration.ofMillis(50))
          .during(Duration.ofMillis(4_500)) // longer than all deadlines
          .until(() -> slow.getInputStream().readNBytes(65_536).length == 65_536);
      await().atMost(SOON).until(() -> isCut(slow));
    } finally {
      registry.remove(wide);
    }
  }

  private static boolean isCut(Socket socket) throws IOException {
    try {
      RawHttp.write(socket, HEALTH);
      return false;
    } catch (SocketException e) {
      return true;
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "GET / HTTP/1.1~X-A: {65536} | 431 | request_header_fields_too_large",
        "GET / HTTP/1.1{fields} | 431 | request_header_fields_too_large",
        "GET /{10240} HTTP/1.1 | 414 | uri_too_long",
        "GET / HTTP/9.9 | 501 | not_implemented",
        "NONSENSE | 400 | bad_request",
        "POST / HTTP/1.1~Content-Length: 5~Transfer-Encoding: chunked~~0 | 400 | bad_request",
        "POST / HTTP/1.1~Transfer-Encoding: xchunked | 400 | bad_request",
        "POST / HTTP/1.1~Content-Length: 0~Content-Length: 6 | 400 | bad_request",
        "GET / HTTP/1.1~X-Request-Id: my-own~X-A: 1~ folded | 400 | bad_request"
      })
  void B45_B46_what_is_too_long_or_ambiguous_is_refused_and_nothing_after_it_is_done(
      String head, int status, String code) throws Exception {
    String bad =
        head.replace("~", "\r\n")
            .replace("{65536}", "x".repeat(65_536))
            .replace("{10240}", "x".repeat(10_240))
            .replace("{fields}", "\r\nX: 1".repeat(200));
    double before = others();
    String answer = RawHttp.send(server, bad + "\r\n\r\n" + SMUGGLED);
    assertRefused(answer, status, code);
    assertThat(answer.contains("my-own")).isEqualTo(head.contains("my-own"));

    try (Socket kept = RawHttp.connect(server)) {
      RawHttp.write(kept, HEALTH + bad + "\r\n\r\n" + SMUGGLED);
      assertThat(RawHttp.answer(kept)).as("the one before it").startsWith("HTTP/1.1 200 ");
      assertRefused(RawHttp.rest(kept), status, code);
    }
    assertThat(others() - before).as("each is counted once").isEqualTo(2);
    assertThat(json(proxy.get("/tenants")).path("tenants")).isEmpty();
  }

  @Test
  void a_path_of_a_later_version_says_what_to_use_here() {
    assertThat(json(proxy.post("/accounts/add", "{}")).toString())
        .contains(
            "\"detail\":\"There is no /accounts/add here; POST /account does that\"",
            "\"code\":\"not_found\"");
    assertThat(proxy.post("/messages/add", "{}").statusCode()).isEqualTo(404);
    assertThat(json(proxy.get("/storages/list")).path("detail").asText())
        .isEqualTo("There is no /storages/list here, and nothing like it");
    assertThat(json(proxy.get("/messages/list?tenant_id=nobody")).path("detail").asText())
        .contains("GET /messages does that");
    assertThat(json(proxy.get("/storage/list")).path("detail").asText()).isEqualTo("Not Found");
    assertThat(proxy.post("/messages/m", "{}").statusCode()).isEqualTo(405);
  }
}
