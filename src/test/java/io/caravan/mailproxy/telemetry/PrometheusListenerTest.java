package io.caravan.mailproxy.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.ConfigurationException;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.routes.RawHttp;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The listener for Prometheus: it answers, and whoever takes too long is told so. */
class PrometheusListenerTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String SCRAPE = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  private static final String HALF = "GET /metrics HTTP/1.1\r\nHos";

  @TempDir Path home;
  private TestProxy proxy;

  @AfterEach
  void stop() {
    if (proxy != null) {
      proxy.close();
    }
  }

  private URI start(int seconds) {
    proxy =
        TestProxy.start(
            home,
            "prometheus_listen",
            "127.0.0.1:0",
            "prometheus.timeout-seconds",
            String.valueOf(seconds));
    int port = proxy.proxy().bean("prometheusListener", PrometheusListener.class).port();
    return URI.create("http://127.0.0.1:" + port);
  }

  private HttpResponse<String> ask(URI uri, String method, String accept) {
    return proxy.send(
        HttpRequest.newBuilder(uri)
            .method(method, BodyPublishers.noBody())
            .header("Accept", accept)
            .build());
  }

  private long answers(String category) {
    return proxy
        .proxy()
        .bean("metricsRegistry", MeterRegistry.class)
        .timer("http.requests", "category", category)
        .count();
  }

  /** The status of an answer, after which the connection goes on. */
  private static String answer(Socket socket) throws IOException {
    return RawHttp.answer(socket).lines().findFirst().orElse("");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // as Prometheus 2.42 and 3.0 ask
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
            + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1 | OPENMETRICS",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
            + "application/openmetrics-text;version=0.0.1;q=0.5,"
            + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
            + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2 | OPENMETRICS",
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1 | TEXT",
        "*/* | TEXT",
      })
  void a_scrape_gets_the_form_it_asks_for(String accept, Format format) {
    URI metrics = start(60).resolve("/metrics");

    HttpResponse<String> answer = ask(metrics, "GET", accept);
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue(format.contentType());
    assertThat(answer.body())
        .startsWith("# HELP gmp_sent")
        .contains("gmp_pending_messages 0.0\n")
        .endsWith("\n");
    assertThat(answer.body().endsWith("# EOF\n")).isEqualTo(format == Format.OPENMETRICS);
  }

  @Test
  void other_paths_and_methods_are_told_so_and_every_answer_counts_once() {
    URI server = start(60);

    HttpResponse<String> head = ask(server.resolve("/metrics"), "HEAD", "*/*");
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.body()).isEmpty();
    assertThat(head.headers().firstValueAsLong("Content-Length").orElse(0)).isPositive();
    assertThat(ask(server.resolve("/metrics?x=1"), "GET", "*/*").statusCode()).isEqualTo(200);
    assertThat(answers("engine_stats")).isEqualTo(2);

    for (String path : List.of("/", "/metrics/", "/health", "/metric", "/%2e%2e/metrics")) {
      HttpResponse<String> unknown = ask(server.resolve(path), "GET", "text/html");
      assertThat(unknown.statusCode()).as(path).isEqualTo(404);
      assertThat(unknown.headers().firstValue("Content-Type")).hasValue("application/json");
      assertThat(unknown.body()).isEqualTo("{\"detail\":\"Not Found\"}");
    }
    for (String method : List.of("POST", "PUT", "DELETE", "OPTIONS", "BREW")) {
      HttpResponse<String> wrong = ask(server.resolve("/metrics"), method, "*/*");
      assertThat(wrong.statusCode()).as(method).isEqualTo(405);
      assertThat(wrong.headers().firstValue("Allow")).hasValue("GET, HEAD");
      assertThat(wrong.body()).isEqualTo("{\"detail\":\"Method Not Allowed\"}");
    }
    assertThat(answers("other")).isEqualTo(10);
    assertThat(answers("engine_stats")).isEqualTo(2);
  }

  @Test
  void a_request_that_is_not_read_in_time_is_answered_408() throws Exception {
    URI server = start(1);
    List<String> halves =
        List.of(
            "G",
            "GET /metr",
            "GET /metrics HTTP/1.1\r\n",
            HALF,
            "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
            "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    for (String half : halves) {
      assertThat(RawHttp.send(server, half))
          .as(half)
          .startsWith("HTTP/1.1 408 Request Timeout\r\n")
          .contains("Content-Type: application/json\r\n", "Connection: close\r\n")
          .endsWith("\r\n\r\n{\"detail\":\"Request Timeout\"}");
    }
    assertThat(answers("other")).isEqualTo(halves.size());
  }

  @Test
  void a_client_that_sends_byte_by_byte_wins_no_time() throws Exception {
    URI server = start(1);
    try (Socket slow = RawHttp.connect(server)) {
      InputStream in = slow.getInputStream();
      RawHttp.write(slow, "GET /metrics HTTP/1.1\r\nX: ");
      await()
          .atMost(SOON)
          .until(
              () -> {
                RawHttp.write(slow, "x");
                return in.available() > 0;
              });
      assertThat(RawHttp.rest(slow)).startsWith("HTTP/1.1 408 ");
    }
  }

  @Test
  void a_request_without_an_end_is_cut_off() throws Exception {
    URI server = start(60);

    RawHttp.Endless endless =
        RawHttp.sendEndlessly(
            server,
            "POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
            "400\r\n" + "x".repeat(1024) + "\r\n");
    assertThat(endless.answer()).startsWith("HTTP/1.1 413 ");
    assertThat(endless.sent()).isLessThan(RawHttp.MOST);
    assertThat(RawHttp.send(server, "GET /" + "x".repeat(5000) + " HTTP/1.1\r\n\r\n"))
        .startsWith("HTTP/1.1 414 ");
    assertThat(RawHttp.send(server, "GET / HTTP/1.1\r\nX: " + "x".repeat(9000) + "\r\n\r\n"))
        .startsWith("HTTP/1.1 431 ");
    assertThat(RawHttp.send(server, "what is this\r\n\r\n")).startsWith("HTTP/1.1 400 ");
    assertThat(RawHttp.send(server, "GET /metrics HTTP/9.9\r\n\r\n")).contains(" 501 ");
    assertThat(answers("other")).isEqualTo(5);
  }

  @Test
  void a_body_that_breaks_the_protocol_is_answered_400() throws Exception {
    URI server = start(60);
    String head = "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    assertThat(RawHttp.send(server, head + "no length\r\n")).startsWith("HTTP/1.1 400 ");
    assertThat(answers("other")).isEqualTo(1);
  }

  @Test
  void an_answer_that_is_not_ready_in_time_is_a_500() throws Exception {
    URI server = start(1);
    URI metrics = server.resolve("/metrics");
    CountDownLatch latch = new CountDownLatch(1);
    Gauge.builder("slow", latch, PrometheusListenerTest::afterThat)
        .register(proxy.proxy().bean("metricsRegistry", MeterRegistry.class));

    try (Socket kept = RawHttp.connect(server)) {
      RawHttp.write(kept, SCRAPE);
      assertThat(ask(server.resolve("/x"), "GET", "*/*").statusCode()).isEqualTo(404);
      for (int i = 0; i < 6; i++) {
        assertThat(ask(metrics, "GET", "*/*").statusCode()).isEqualTo(500);
      }
      assertThat(ask(metrics, "GET", "*/*").body())
          .isEqualTo("{\"detail\":\"Internal Server Error\"}");
      assertThat(answer(kept)).isEqualTo("HTTP/1.1 500 Internal Server Error");
    }
    latch.countDown();
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> assertThat(ask(metrics, "GET", "*/*").body()).contains("\nslow 1.0\n"));
  }

  private static double afterThat(CountDownLatch latch) {
    try {
      return latch.await(SOON.toSeconds(), TimeUnit.SECONDS) ? 1 : 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 0;
    }
  }

  @Test
  void a_connection_carries_one_request_and_ends_without_a_word() throws Exception {
    URI server = start(5);
    try (Socket silent = RawHttp.connect(server);
        Socket many = RawHttp.connect(server);
        Socket kept = RawHttp.connect(server)) {
      RawHttp.write(many, SCRAPE + SCRAPE + HALF);
      RawHttp.write(kept, SCRAPE);
      assertThat(answer(many)).isEqualTo("HTTP/1.1 200 OK");
      assertThat(RawHttp.rest(many)).isEmpty();
      assertThat(answer(kept)).isEqualTo("HTTP/1.1 200 OK");
      RawHttp.write(kept, SCRAPE);
      assertThat(RawHttp.rest(kept)).isEmpty();
      assertThat(RawHttp.rest(silent)).isEmpty();
    }
    assertThat(RawHttp.send(server, "GET /me HTTP/1.1\r\n\r\n" + HALF))
        .startsWith("HTTP/1.1 404 ")
        .contains("\r\nconnection: close\r\n")
        .endsWith("{\"detail\":\"Not Found\"}");
    assertThat(answers("engine_stats")).isEqualTo(2);
    assertThat(answers("other")).isEqualTo(1);
  }

  @Test
  void a_client_that_does_not_take_its_answer_is_cut_off() throws Exception {
    URI server = start(1);
    long size = 16 << 20; // more than the kernel's buffers hold
    Gauge.builder("wide", () -> 1)
        .tag("label", "x".repeat(Math.toIntExact(size)))
        .register(proxy.proxy().bean("metricsRegistry", MeterRegistry.class));
    try (Socket deaf = new Socket()) {
      deaf.setReceiveBufferSize(4096);
      deaf.connect(new InetSocketAddress(server.getHost(), server.getPort()));
      deaf.setSoTimeout(Math.toIntExact(SOON.toMillis()));
      RawHttp.write(deaf, SCRAPE.repeat(5));
      await().atMost(SOON).until(() -> answers("engine_stats") == 1);
      // while the connection lives, what still comes is read and dropped
      await().atMost(SOON).until(() -> isCut(deaf));
    }
    assertThat(answers("engine_stats")).isEqualTo(1);
  }

  private static boolean isCut(Socket socket) throws IOException {
    try {
      RawHttp.write(socket, SCRAPE);
      return false;
    } catch (SocketException e) {
      return true;
    }
  }

  @Test
  void more_connections_than_there_may_be_are_turned_away() throws Exception {
    URI server = start(60);
    List<Socket> open = new ArrayList<>();
    try {
      for (int i = 0; i < 64; i++) {
        Socket socket = RawHttp.connect(server);
        open.add(socket);
        RawHttp.write(socket, HALF);
      }
      assertThat(RawHttp.send(server, SCRAPE)).startsWith("HTTP/1.1 503 ");
      open.remove(0).close();
      await()
          .atMost(SOON)
          .until(
              () -> RawHttp.send(server, "GET /x HTTP/1.0\r\n\r\n"),
              answer -> answer.startsWith("HTTP/1.0 404 "));
    } finally {
      for (Socket socket : open) {
        socket.close();
      }
    }
  }

  @Test
  void it_is_off_unless_asked_for() {
    proxy = TestProxy.start(home);
    assertThat(proxy.proxy().bean("prometheusListener", PrometheusListener.class).port()).isZero();
  }

  @Test
  void it_stops_with_the_proxy() throws Exception {
    URI server = start(60);
    try (Socket kept = RawHttp.connect(server)) {
      RawHttp.write(kept, HALF);
      proxy.close();
      assertThat(RawHttp.rest(kept)).isEmpty();
    }
    assertThatThrownBy(() -> RawHttp.send(server, SCRAPE)).isInstanceOf(IOException.class);
  }

  @Test
  void a_port_that_is_taken_refuses_the_start() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String listen = "127.0.0.1:" + taken.getLocalPort();
      assertThatThrownBy(() -> TestProxy.start(home, "prometheus_listen", listen).close())
          .isInstanceOf(ConfigurationException.class)
          .hasMessageStartingWith(
              "cannot listen on "
                  + listen
                  + " (setting prometheus_listen, GMP_PROMETHEUS_LISTEN): Address already in use");
    }
  }

  @Test
  void an_address_that_cannot_be_meant_refuses_the_start() {
    assertThatThrownBy(() -> TestProxy.start(home, "prometheus_listen", "localhost").close())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("prometheus_listen")
        .hasMessageContaining("not host:port, :port or port: localhost");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "127.0.0.1:", "70000", "-1", "a b:1", "::1:9090", "http://x:1"})
  void an_address_has_no_other_form(String text) {
    assertThatThrownBy(() -> HostPort.of(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "3601", "soon"})
  void a_limit_that_cannot_be_meant_refuses_the_start(String seconds) {
    assertThatThrownBy(() -> TestProxy.start(home, "prometheus.timeout-seconds", seconds).close())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(seconds);
  }

  @ParameterizedTest
  @CsvSource({
    "9090, 0.0.0.0, 9090",
    "' :9090 ', 0.0.0.0, 9090",
    "localhost:0, localhost, 0",
    "[::1]:65535, ::1, 65535",
    "[fe80::1%eth0]:1, fe80::1%eth0, 1",
  })
  void an_address_has_these_forms(String text, String host, int port) {
    assertThat(HostPort.of(text)).isEqualTo(new HostPort(host, port));
  }
}
