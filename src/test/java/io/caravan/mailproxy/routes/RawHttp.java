package io.caravan.mailproxy.routes;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** HTTP by hand, for what a well-behaved client cannot say. */
public final class RawHttp {
  private static final int PATIENCE_MILLIS = 20_000;

  /** More than fits in memory. */
  public static final long MOST = 8L << 30;

  private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length: (\\d+)");

  private RawHttp() {}

  /** Sends these characters as bytes and reads until the server closes. */
  public static String send(URI server, String request) throws IOException {
    try (Socket socket = connect(server)) {
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      return rest(socket);
    }
  }

  /** Sends these characters as bytes and no more, and reads until the server closes. */
  static String sendAndEnd(URI server, String request) throws IOException {
    try (Socket socket = connect(server)) {
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.shutdownOutput();
      return rest(socket);
    }
  }

  /** Sends these characters as bytes. */
  public static void write(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** Reads one answer that tells its length, not further, so that the connection goes on. */
  public static String answer(Socket socket) throws IOException {
    InputStream in = socket.getInputStream();
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int next = in.read();
      if (next < 0) {
        return "end after " + head;
      }
      head.append((char) next);
    }
    Matcher length = LENGTH.matcher(head);
    byte[] body = in.readNBytes(length.find() ? Integer.parseInt(length.group(1)) : 0);
    return head + new String(body, StandardCharsets.ISO_8859_1);
  }

  /** Sends a request without an end; what the server says before it hangs up. */
  public static Endless sendEndlessly(URI server, String head, String piece) throws IOException {
    byte[] bytes = piece.getBytes(StandardCharsets.ISO_8859_1);
    long sent = 0;
    try (Socket socket = connect(server)) {
      OutputStream out = socket.getOutputStream();
      out.write(head.getBytes(StandardCharsets.ISO_8859_1));
      StringBuilder said = new StringBuilder();
      InputStream in = socket.getInputStream();
      try {
        while (sent < MOST) {
          out.write(bytes);
          sent += bytes.length;
          while (in.available() > 0) {
            said.append((char) in.read());
          }
        }
      } catch (SocketException e) {
        // the server hung up
      }
      return new Endless(said.toString(), sent);
    }
  }

  /** What came back, and how much was taken. */
  public record Endless(String answer, long sent) {}

  /** A connection whose reads end after a while. */
  public static Socket connect(URI server) throws IOException {
    Socket socket = new Socket(server.getHost(), server.getPort());
    socket.setSoTimeout(PATIENCE_MILLIS);
    return socket;
  }

  /** What the server says until it closes. */
  public static String rest(Socket socket) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    try {
      socket.getInputStream().transferTo(all);
    } catch (SocketException e) {
      // closed hard after the answer
    }
    return all.toString(StandardCharsets.ISO_8859_1);
  }
}
