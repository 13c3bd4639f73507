package io.caravan.mailproxy.endtoend;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** One HTTP/1.1 connection that is kept open: a client that costs next to nothing. */
public final class KeepAlive implements Closeable {
  private final Socket socket;
  private final InputStream in;
  private final String head;

  /** An answer. */
  public record Answer(int status, String body) {}

  public KeepAlive(int port, String token) throws IOException {
    this.socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(60));
    this.in = new BufferedInputStream(socket.getInputStream());
    this.head =
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Token: "
            + token
            + "\r\nContent-Type: application/json\r\nContent-Length: ";
  }

  public Answer get(String path) throws IOException {
    return call("GET " + path, new byte[0]);
  }

  public Answer post(String path, String json) throws IOException {
    return call("POST " + path, json.getBytes(StandardCharsets.UTF_8));
  }

  private Answer call(String line, byte[] body) throws IOException {
    ByteArrayOutputStream request = new ByteArrayOutputStream(body.length + 300);
    request.writeBytes((line + head + body.length + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
    request.writeBytes(body);
    request.writeTo(socket.getOutputStream());
    return answer();
  }

  private Answer answer() throws IOException {
    int status = Integer.parseInt(line().split(" ", 3)[1]);
    int length = 0;
    boolean chunked = false;
    for (String field = line(); !field.isEmpty(); field = line()) {
      String lower = field.toLowerCase(Locale.ROOT);
      if (lower.startsWith("content-length:")) {
        length = Integer.parseInt(lower.substring("content-length:".length()).strip());
      }
      chunked |= lower.startsWith("transfer-encoding:") && lower.contains("chunked");
    }
    return new Answer(
        status, new String(chunked ? chunks() : bytes(length), StandardCharsets.UTF_8));
  }

  private byte[] chunks() throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    int length;
    do {
      length = Integer.parseInt(line().strip(), 16);
      all.writeBytes(bytes(length));
      line();
    } while (length > 0);
    return all.toByteArray();
  }

  private byte[] bytes(int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new IOException("the answer breaks off");
    }
    return bytes;
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new IOException("the connection was closed");
      }
      if (b != '\r') {
        line.write(b);
      }
    }
    return line.toString(StandardCharsets.ISO_8859_1);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
