package io.caravan.mailproxy;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.endtoend.TestPorts;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.routes.RawHttp;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListenAddressTest {
  private static final String HEALTH = "GET /health HTTP/1.0\r\n\r\n";

  @TempDir Path home;

  @Test
  void a_proxy_does_not_start_on_a_port_that_is_taken() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = String.valueOf(taken.getLocalPort());
      assertThatThrownBy(() -> TestProxy.start(home, "port", port))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("cannot listen on 127.0.0.1:" + port)
          .hasMessageContaining("GMP_PORT");
    }
  }

  @Test
  void the_api_and_prometheus_listen_cannot_share_an_address() throws Exception {
    String port = String.valueOf(TestPorts.next());
    assertThatThrownBy(
            () -> TestProxy.start(home, "port", port, "prometheus_listen", "127.0.0.1:" + port))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("cannot listen on 127.0.0.1:" + port)
        .hasMessageEndingWith("Address already in use; prometheus_listen is the same address");
  }

  @Test
  void while_the_routes_do_not_stand_yet_a_client_is_told_to_come_back() throws Exception {
    String port = String.valueOf(TestPorts.next());
    Set<Thread> others = threadsOfVertx();
    CompletableFuture<TestProxy> start =
        CompletableFuture.supplyAsync(() -> TestProxy.start(home, "port", port));
    URI server = URI.create("http://127.0.0.1:" + port);
    await()
        .atMost(Duration.ofSeconds(60))
        .ignoreExceptionsInstanceOf(SocketException.class)
        .pollInterval(Duration.ofMillis(1))
        .until(
            () -> {
              assertThat(start).isNotCompletedExceptionally();
              return RawHttp.send(server, HEALTH);
            },
            said -> {
              if (!said.isEmpty()) { // else it is asked whether the port is free
                assertEarlyOrReady(said);
              }
              return !said.isEmpty();
            });
    while (!start.isDone()) {
      assertEarlyOrReady(RawHttp.send(server, HEALTH));
    }
    start.get().close();
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(threadsOfVertx()).isSubsetOf(others));
  }

  private static void assertEarlyOrReady(String said) {
    assertThat(said)
        .satisfiesAnyOf(
            early ->
                assertThat(early)
                    .startsWith("HTTP/1.0 503 ")
                    .containsIgnoringCase("\r\nretry-after: 1\r\n")
                    .contains("{\"detail\":\"Service is starting\","),
            ready -> assertThat(ready).startsWith("HTTP/1.0 200 "));
  }

  /** Those that other tests of this process left as well. */
  private static Set<Thread> threadsOfVertx() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("vert"))
        .collect(toSet());
  }

  @Test
  void a_port_is_a_number() {
    assertThatThrownBy(() -> new ListenAddress("127.0.0.1", "http").checkFree())
        .isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> new ListenAddress("127.0.0.1", "70000").checkFree())
        .isInstanceOf(ConfigurationException.class);
  }

  @Test
  void any_free_port_will_do() {
    assertThatCode(() -> new ListenAddress("127.0.0.1", "0").checkFree())
        .doesNotThrowAnyException();
  }
}
