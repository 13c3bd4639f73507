package io.caravan.mailproxy;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.caravan.mailproxy.endtoend.TestProxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListenAddressTest {
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
    String port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = String.valueOf(free.getLocalPort());
    }
    assertThatThrownBy(
            () -> TestProxy.start(home, "port", port, "prometheus_listen", "127.0.0.1:" + port))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("cannot listen on 127.0.0.1:" + port)
        .hasMessageContaining("Address already in use");
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
