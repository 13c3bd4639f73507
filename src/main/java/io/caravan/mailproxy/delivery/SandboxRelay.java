package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.subethamail.smtp.MessageHandler;
import org.subethamail.smtp.RejectException;
import org.subethamail.smtp.internal.command.EhloCommand;
import org.subethamail.smtp.server.SMTPServer;
import org.subethamail.smtp.server.Session;

/**
 * An SMTP server inside this process, on loopback, that keeps each mail as a file and sends nothing
 * on: {@code <dir>/<yyyyMMdd-HHmmss-SSS>-<n>.eml}, local time, n from 1 since start. The envelope
 * stands in leading headers {@code X-Envelope-From} and {@code X-Envelope-To}.
 */
public final class SandboxRelay implements AutoCloseable {
  private static final int MAX_CONNECTIONS = 200;
  private static final int MAX_BYTES = 100 * 1024 * 1024;
  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS", Locale.ROOT);

  private final Path dir;
  private final AtomicLong kept = new AtomicLong();
  private final SMTPServer server;

  /**
   * @param dir where mails are kept; made if absent
   * @throws IOException when {@code dir} cannot be made
   */
  public SandboxRelay(Path dir) throws IOException {
    try {
      this.dir = Files.createDirectories(dir);
    } catch (IOException e) {
      throw new IOException("sandbox.path (GMP_SANDBOX_PATH): the folder cannot be made: " + e, e);
    }
    this.server =
        SMTPServer.port(0)
            .bindAddress(InetAddress.getLoopbackAddress())
            .hostName("sandbox.localhost")
            .softwareName("sandbox")
            .insertReceivedHeaders(false)
            .maxConnections(MAX_CONNECTIONS)
            .maxMessageSize(MAX_BYTES)
            .executorService(threads())
            .messageHandlerFactory(context -> new Keep())
            .build();
    server.getCommandHandler().addCommand(new Ehlo());
  }

  /**
   * The same, kept in a folder given as text.
   *
   * @param path absolute, or starting from {@code home}
   * @throws IOException when the folder cannot be made
   */
  public SandboxRelay(String home, String path) throws IOException {
    this(Path.of(home).resolve(path));
  }

  /** The server admits no more connections than there are threads. */
  private static ExecutorService threads() {
    AtomicInteger n = new AtomicInteger();
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            MAX_CONNECTIONS + 10,
            MAX_CONNECTIONS + 10,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MAX_CONNECTIONS),
            task -> {
              Thread thread = new Thread(task, "sandbox-" + n.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  /** Begins to listen, if it does not yet. */
  public synchronized SandboxRelay start() {
    if (!server.isRunning()) {
      server.start();
    }
    return this;
  }

  /** The port it listens on, chosen by the system at {@link #start}. */
  public int port() {
    return server.getPortAllocated();
  }

  /**
   * The account with this server, started if need be, in place of its relay: loopback, no TLS, no
   * log-in.
   */
  public Account inPlaceOf(Account a) {
    start();
    return new Account(
        a.pk(),
        a.revision(),
        a.tenantId(),
        a.id(),
        a.type(),
        InetAddress.getLoopbackAddress().getHostAddress(),
        port(),
        null,
        null,
        false,
        a.ttlSeconds(),
        a.maxConnections(),
        a.maxMessagesPerConnection(),
        a.limitPerSecond(),
        null,
        null,
        a.failoverAccountId(),
        false,
        a.quota());
  }

  @Override
  public void close() {
    server.stop();
  }

  /** One mail. */
  private final class Keep implements MessageHandler {
    private String from = "";
    private final List<String> to = new ArrayList<>();

    @Override
    public void from(String address) {
      from = address;
    }

    @Override
    public void recipient(String address) {
      to.add(address);
    }

    @Override
    public String data(InputStream in) throws RejectException, IOException {
      String name =
          STAMP.format(LocalDateTime.now(ZoneId.systemDefault())) + "-" + kept.incrementAndGet();
      Path part = dir.resolve("." + name + ".part");
      try {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(part))) {
          out.write(("X-Envelope-From: <" + from + ">\r\n").getBytes(StandardCharsets.UTF_8));
          for (String address : to) {
            out.write(("X-Envelope-To: <" + address + ">\r\n").getBytes(StandardCharsets.UTF_8));
          }
          copy(in, out);
        }
        Files.move(part, dir.resolve(name + ".eml"), StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(part);
      }
      return "kept as " + name + ".eml";
    }

    private void copy(InputStream in, OutputStream out) throws IOException, RejectException {
      byte[] buffer = new byte[8192];
      long total = 0;
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        total += n;
        if (total <= MAX_BYTES) {
          out.write(buffer, 0, n);
        }
      }
      if (total > MAX_BYTES) {
        throw new RejectException(552, "5.3.4 message_too_large");
      }
    }

    @Override
    public void done() {}
  }

  /** The library reads pipelined commands well but does not say so. */
  private static final class Ehlo extends org.subethamail.smtp.internal.server.BaseCommand {
    private final EhloCommand stock = new EhloCommand();

    Ehlo() {
      super("EHLO", "Introduce yourself.", "<hostname>");
    }

    @Override
    public void execute(String command, Session session) throws IOException {
      if (command.strip().indexOf(' ') < 0) {
        stock.execute(command, session);
        return;
      }
      session.resetMailTransaction();
      session.setHelo(command.strip().substring(command.strip().indexOf(' ') + 1));
      session.sendResponse(
          "250-sandbox.localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE "
              + MAX_BYTES);
    }
  }
}
