package io.caravan.mailproxy.endtoend;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * A relay on loopback that takes every mail and tells of it before it answers the final dot. As a
 * program it keeps a ledger: one line for each mail, on disk before the answer leaves.
 */
public final class SmtpSink implements Closeable {
  private static final String CLIENT_ID = "X-Genro-Mail-ID:";
  private static final String MESSAGE_ID = "Message-ID:";
  private static final String NODE = "X-Node:";

  /**
   * An accepted mail.
   *
   * @param at {@link System#nanoTime} at the final dot
   * @param node header {@code X-Node}, which a proxy sets where a test tells it to
   */
  public record Mail(
      long at, String clientId, String messageId, List<String> recipients, String node) {}

  /** Hears of each accepted mail, on the connection's thread. */
  public interface Listener {
    void accepted(Mail mail) throws IOException;
  }

  /**
   * How a sink serves.
   *
   * @param delayMillis milliseconds before the reply to each command of a mail transaction
   * @param tls STARTTLS and AUTH PLAIN are offered with it; {@code null}: neither is
   */
  public record Manner(int delayMillis, @Nullable SSLContext tls) {
    static final Manner PLAIN = new Manner(0, null);
  }

  private final ServerSocket server;
  private final Listener listener;
  private final Manner manner;
  private final Set<Socket> sessions = ConcurrentHashMap.newKeySet();

  public SmtpSink(Listener listener) throws IOException {
    this(listener, Manner.PLAIN);
  }

  public SmtpSink(Listener listener, Manner manner) throws IOException {
    this.listener = listener;
    this.manner = manner;
    this.server = new ServerSocket();
    server.setReuseAddress(true);
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), TestPorts.next()), 1_000);
    thread(this::accept, "sink");
  }

  public int port() {
    return server.getLocalPort();
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket session : sessions) {
      session.close();
    }
  }

  /**
   * Keeps a ledger until standard input ends; prints its port.
   *
   * @param args the ledger's file; the longest pause before an answer to the dot, in milliseconds
   */
  public static void main(String[] args) throws IOException {
    try (FileChannel ledger =
            FileChannel.open(
                Path.of(args[0]), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        SmtpSink sink = new SmtpSink(mail -> keep(ledger, mail, Integer.parseInt(args[1])))) {
      System.out.println(sink.port());
      while (System.in.read() >= 0) {
        // until the parent closes it or ends
      }
    }
  }

  private static void keep(FileChannel ledger, Mail mail, int maxPauseMillis) throws IOException {
    String line =
        String.join(
            "\t",
            mail.clientId(),
            mail.messageId(),
            String.join(",", mail.recipients()),
            String.valueOf(System.currentTimeMillis()),
            mail.node());
    synchronized (ledger) {
      ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        ledger.write(bytes);
      }
    }
    ledger.force(false);
    if (maxPauseMillis > 0) {
      long pause = ThreadLocalRandom.current().nextLong(maxPauseMillis * 1_000_000L);
      LockSupport.parkNanos(pause);
    }
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        sessions.add(socket);
        thread(() -> serve(socket), "sink-session");
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout((int) TimeUnit.MINUTES.toMillis(10));
      new Session(socket).run();
    } catch (IOException e) {
      // the client is gone
    } finally {
      sessions.remove(socket);
    }
  }

  private static void thread(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.start();
  }

  private final class Session {
    private final Socket socket;
    private InputStream in;
    private OutputStream out;
    private final ByteArrayOutputStream replies = new ByteArrayOutputStream();
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final byte[] read = new byte[32 * 1024];
    private int at;
    private int end;
    private final List<String> recipients = new ArrayList<>();

    Session(Socket socket) throws IOException {
      this.socket = socket;
      this.in = socket.getInputStream();
      this.out = socket.getOutputStream();
    }

    void run() throws IOException {
      reply("220 sink.test ESMTP");
      while (true) {
        String command = line();
        String verb = command.strip().toUpperCase(Locale.ROOT);
        if (verb.startsWith("EHLO")) {
          reply(
              "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
                  + (manner.tls() == null ? "" : "250-STARTTLS\r\n250-AUTH PLAIN\r\n")
                  + "250 SMTPUTF8");
        } else if (verb.equals("STARTTLS")) {
          reply("220 2.0.0 go on");
          secure();
        } else if (verb.startsWith("AUTH")) {
          reply("235 2.7.0 welcome");
        } else if (verb.startsWith("MAIL")) {
          recipients.clear();
          pause();
          reply("250 2.1.0 ok");
        } else if (verb.startsWith("RCPT")) {
          recipients.add(command.substring(command.indexOf('<') + 1, command.indexOf('>')));
          pause();
          reply("250 2.1.5 ok");
        } else if (verb.equals("DATA")) {
          pause();
          reply("354 go on");
          data();
        } else if (verb.equals("QUIT")) {
          reply("221 2.0.0 bye");
          flush();
          return;
        } else {
          reply("250 2.0.0 ok");
        }
      }
    }

    private void data() throws IOException {
      String clientId = "";
      String messageId = "";
      String node = "";
      boolean head = true;
      for (String text = line(); !text.equals("."); text = line()) {
        if (head && text.regionMatches(true, 0, CLIENT_ID, 0, CLIENT_ID.length())) {
          clientId = text.substring(CLIENT_ID.length()).strip();
        } else if (head && text.regionMatches(true, 0, MESSAGE_ID, 0, MESSAGE_ID.length())) {
          messageId = text.substring(MESSAGE_ID.length()).strip();
        } else if (head && text.regionMatches(true, 0, NODE, 0, NODE.length())) {
          node = text.substring(NODE.length()).strip();
        }
        head &= !text.isEmpty();
      }
      listener.accepted(
          new Mail(System.nanoTime(), clientId, messageId, List.copyOf(recipients), node));
      pause();
      reply("250 2.0.0 taken");
    }

    private void pause() throws IOException {
      if (manner.delayMillis() > 0) {
        flush();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(manner.delayMillis()));
      }
    }

    /** What comes after the 220 is TLS. */
    private void secure() throws IOException {
      flush();
      SSLSocket over =
          (SSLSocket)
              Objects.requireNonNull(manner.tls())
                  .getSocketFactory()
                  .createSocket(socket, null, socket.getPort(), false);
      over.setUseClientMode(false);
      in = over.getInputStream();
      out = over.getOutputStream();
    }

    private void reply(String text) {
      replies.writeBytes((text + "\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    private void flush() throws IOException {
      replies.writeTo(out);
      replies.reset();
    }

    private String line() throws IOException {
      line.reset();
      while (true) {
        if (at == end) {
          fill();
        }
        byte b = read[at++];
        if (b == '\n') {
          return line.toString(StandardCharsets.ISO_8859_1);
        }
        if (b != '\r') {
          line.write(b);
        }
      }
    }

    /** What was answered so far leaves when there is nothing more to read. */
    private void fill() throws IOException {
      flush();
      at = 0;
      end = in.read(read);
      if (end <= 0) {
        throw new IOException("end of input");
      }
    }
  }
}
