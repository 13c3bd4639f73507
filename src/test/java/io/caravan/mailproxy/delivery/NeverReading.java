package io.caravan.mailproxy.delivery;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A relay that says all its replies at once and reads nothing, so that the window fills up. */
final class NeverReading implements AutoCloseable {
  private final ServerSocket listener;
  private volatile Socket socket;

  NeverReading() {
    try {
      listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    Thread thread = new Thread(this::talk, "never-reading");
    thread.setDaemon(true);
    thread.start();
  }

  int port() {
    return listener.getLocalPort();
  }

  private void talk() {
    try {
      socket = listener.accept();
      OutputStream out = socket.getOutputStream();
      out.write("220 hi\r\n".getBytes(StandardCharsets.US_ASCII));
      byte[] buffer = new byte[512];
      String said = "";
      while (!said.contains("EHLO")) {
        said +=
            new String(buffer, 0, socket.getInputStream().read(buffer), StandardCharsets.US_ASCII);
      }
      out.write("250-hi\r\n250 PIPELINING\r\n".getBytes(StandardCharsets.US_ASCII));
      while (!said.contains("DATA")) {
        said +=
            new String(buffer, 0, socket.getInputStream().read(buffer), StandardCharsets.US_ASCII);
      }
      out.write("250 ok\r\n250 ok\r\n354 go\r\n".getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      // the test looks at what the client saw
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
      if (socket != null) {
        socket.close();
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
