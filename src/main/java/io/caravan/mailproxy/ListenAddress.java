package io.caravan.mailproxy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.apache.camel.CamelContext;

/** Where the API is to listen. */
record ListenAddress(String host, String port) {

  static ListenAddress of(CamelContext context) {
    return new ListenAddress(
        context.resolvePropertyPlaceholders("{{host}}"),
        context.resolvePropertyPlaceholders("{{port}}"));
  }

  /**
   * Camel's HTTP server logs that it cannot listen, and runs on without it; so this is asked before
   * anything starts.
   *
   * @throws ConfigurationException the address cannot be listened on
   */
  void checkFree() {
    try (ServerSocket socket =
        new ServerSocket(Integer.parseInt(port), 1, InetAddress.getByName(host))) {
      socket.getLocalPort();
    } catch (IOException | IllegalArgumentException e) {
      throw new ConfigurationException(
          "cannot listen on "
              + host
              + ":"
              + port
              + " (settings host and port, GMP_HOST and GMP_PORT): "
              + e.getMessage());
    }
  }
}
