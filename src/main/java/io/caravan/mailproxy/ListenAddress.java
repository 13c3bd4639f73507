package io.caravan.mailproxy;

import io.caravan.mailproxy.http.Arrival;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.apache.camel.CamelContext;

/** Where the API is to listen. */
record ListenAddress(String host, String port) {
  private static final int PATIENCE_MILLIS = 5_000;
  private static final int MAX_ANSWER = 4_096;

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
      throw taken(e);
    }
  }

  /**
   * The same, when another setting has taken its address.
   *
   * @throws ConfigurationException it is the same address
   */
  void checkFreeOf(String setting) {
    try {
      checkFree();
    } catch (ConfigurationException e) {
      throw new ConfigurationException(e.getMessage() + "; " + setting + " is the same address");
    }
  }

  /**
   * Asks the running server for a path that only it knows: the port may have been taken since
   * {@link #checkFree}.
   *
   * @throws ConfigurationException someone else answers there, or nobody
   */
  void confirm(Router router, int listening) {
    String secret = "/" + UUID.randomUUID();
    Route route =
        router
            .route(secret)
            .handler(
                context -> {
                  Arrival.of(context.request()).route(); // nobody asked but we
                  context.response().end(secret);
                });
    InetAddress address;
    try {
      address = InetAddress.getByName(host);
      if (address.isAnyLocalAddress()) {
        address = InetAddress.getLoopbackAddress();
      }
      if (!ask(address, listening, secret).endsWith(secret)) {
        throw new IOException("another program answers there");
      }
    } catch (IOException e) {
      throw taken(e);
    } finally {
      route.remove();
    }
  }

  private static String ask(InetAddress address, int port, String path) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(address, port), PATIENCE_MILLIS);
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket
          .getOutputStream()
          .write(("GET " + path + " HTTP/1.0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readNBytes(MAX_ANSWER), StandardCharsets.US_ASCII);
    }
  }

  private ConfigurationException taken(Exception reason) {
    return new ConfigurationException(
        "cannot listen on "
            + host
            + ":"
            + port
            + " (settings host and port, GMP_HOST and GMP_PORT): "
            + reason.getMessage());
  }
}
