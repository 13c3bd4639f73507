package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.endtoend.TestPorts;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * An SMTP server that does what a test says, on 127.0.0.1.
 *
 * <p>A {@link Script} answers a step with a reply ({@code "451 4.3.0 later"}, lines joined by CRLF)
 * or {@code null} for the usual; {@code DROP} closes, {@code RESET} sends a TCP reset, {@code HANG}
 * stays silent, {@code TRICKLE} sends a reply byte by byte without an end, {@code ENDLESS} lines
 * without an end; {@code "421 bye" + THEN_DROP} replies and closes. Without a script a recipient's
 * local part speaks: {@code 550@}, {@code 450.4.2.0+x@}, {@code grey2+x@} (two times 450, then
 * accepted), {@code dropdot@}, {@code hangdot@}.
 */
public final class ScriptedSmtpServer implements AutoCloseable {
  public static final String DROP = "!drop";
  public static final String RESET = "!reset";
  public static final String HANG = "!hang";
  public static final String TRICKLE = "!trickle";
  public static final String ENDLESS = "!endless";
  public static final String THEN_DROP = "!then-drop";

  /** By name of the keystore: to open one takes a tenth of a second. */
  private static final Map<String, KeyManager[]> KEYS = new ConcurrentHashMap<>();

  /**
   * A point of a session at which a script may step in.
   *
   * @param verb CONNECT, TLS, EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, "." RSET, QUIT
   * @param connection from 1
   * @param mails accepted on this connection before
   */
  public record Step(String verb, String line, int connection, int mails) {
    public boolean is(String other) {
      return verb.equals(other);
    }
  }

  /** What to do at a step; {@code null}: the usual. */
  public interface Script {
    String at(Step step);
  }

  /** An accepted mail: {@code raw} as on the wire with dots doubled, {@code content} without. */
  public record Mail(String from, String mailLine, List<String> to, String raw, int connection) {
    public String content() {
      return raw.startsWith(".")
          ? raw.substring(1).replace("\r\n.", "\r\n")
          : raw.replace("\r\n.", "\r\n");
    }
  }

  private static final Pattern CODE =
      Pattern.compile("(\\d{3})(?:\\.(\\d\\.\\d+\\.\\d+))?(?:\\+.*)?");
  private static final Pattern GREY = Pattern.compile("grey(\\d+)\\+.*");

  public final List<Mail> mails = Collections.synchronizedList(new ArrayList<>());
  public final List<String> lines = Collections.synchronizedList(new ArrayList<>());
  public final AtomicInteger connections = new AtomicInteger();
  public final AtomicInteger open = new AtomicInteger();
  public final AtomicInteger mostOpen = new AtomicInteger();
  public final List<String> peers = Collections.synchronizedList(new ArrayList<>());
  public volatile List<String> offers = List.of("PIPELINING", "8BITMIME", "SIZE 1000000");
  public volatile Script script = step -> null;
  volatile boolean afterTlsOnlyAuth;

  private final ServerSocket listener;
  private final SSLContext tls;
  private final boolean implicit;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final Map<String, AtomicInteger> seen = new ConcurrentHashMap<>();
  private volatile boolean closed;

  public ScriptedSmtpServer() throws Exception {
    this(null, false);
  }

  /** With a keystore of src/test/resources/tls, for STARTTLS (offer it) or implicit TLS. */
  public ScriptedSmtpServer(String keystore, boolean implicit) throws Exception {
    this(keystore, implicit, InetAddress.getLoopbackAddress(), TestPorts.next());
  }

  /** At one of the many addresses of loopback. */
  public ScriptedSmtpServer(String keystore, boolean implicit, InetAddress address, int port)
      throws Exception {
    this.tls = keystore == null ? null : context(keystore);
    this.implicit = implicit;
    this.listener = new ServerSocket(port, 50, address);
    daemon(this::accept);
  }

  public int port() {
    return listener.getLocalPort();
  }

  /** How often a line with this start came. */
  public long count(String start) {
    synchronized (lines) {
      return lines.stream().filter(l -> l.toUpperCase(Locale.ROOT).startsWith(start)).count();
    }
  }

  @Override
  public void close() throws IOException {
    closed = true;
    listener.close();
    dropAll();
  }

  /** Closes all connections, as a restart does. */
  public void dropAll() {
    for (Socket socket : sockets) {
      quietly(socket);
    }
  }

  private void accept() {
    while (!closed) {
      try {
        Socket socket = listener.accept();
        sockets.add(socket);
        int number = connections.incrementAndGet();
        peers.add(socket.getInetAddress().getHostAddress());
        mostOpen.accumulateAndGet(open.incrementAndGet(), Math::max);
        daemon(() -> serve(socket, number));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve(Socket socket, int number) {
    try {
      socket.setTcpNoDelay(true);
      new Session(socket, number).run();
    } catch (Exception e) {
      // the test looks at what the client saw
    } finally {
      open.decrementAndGet();
      sockets.remove(socket);
      quietly(socket);
    }
  }

  private static void quietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // closed is all we want
    }
  }

  private static void daemon(Runnable work) {
    Thread thread = new Thread(work, "scripted-smtp");
    thread.setDaemon(true);
    thread.start();
  }

  private static SSLContext context(String keystore) throws GeneralSecurityException {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(KEYS.computeIfAbsent(keystore, ScriptedSmtpServer::keys), null, null);
    return context;
  }

  private static KeyManager[] keys(String keystore) {
    char[] password = "changeit".toCharArray();
    try (InputStream in = ScriptedSmtpServer.class.getResourceAsStream("/tls/" + keystore)) {
      KeyStore keys = KeyStore.getInstance("PKCS12");
      keys.load(in, password);
      KeyManagerFactory managers =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      managers.init(keys, password);
      return managers.getKeyManagers();
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private final class Session {
    private final Socket plain;
    private final int number;
    private InputStream in;
    private OutputStream out;
    private String from = "";
    private String mailLine = "";
    private final List<String> to = new ArrayList<>();
    private int accepted;
    private boolean secure;

    Session(Socket plain, int number) throws IOException {
      this.plain = plain;
      this.number = number;
      use(plain);
    }

    private void use(Socket now) throws IOException {
      in = new BufferedInputStream(now.getInputStream(), 65536);
      out = now.getOutputStream();
    }

    void run() throws IOException {
      if (implicit) {
        secure();
      }
      step("CONNECT", "", "220 scripted ESMTP");
      while (true) {
        String line = line();
        lines.add(line);
        String verb = line.split("[ :]", 2)[0].toUpperCase(Locale.ROOT);
        switch (verb) {
          case "EHLO" -> step(verb, line, ehlo());
          case "STARTTLS" -> {
            step(verb, line, "220 go");
            secure();
          }
          case "AUTH" -> step(verb, line, "235 2.7.0 welcome");
          case "MAIL" -> {
            mailLine = line;
            from = path(line);
            to.clear();
            step(verb, line, "250 2.1.0 ok");
          }
          case "RCPT" -> {
            String reply = step(verb, line, rcpt(path(line)));
            if (reply.startsWith("2")) {
              to.add(path(line));
            }
          }
          case "DATA" -> {
            String reply = step(verb, line, to.isEmpty() ? "503 5.5.1 no recipients" : "354 go");
            if (reply.startsWith("354")) {
              body();
            }
          }
          case "QUIT" -> {
            step(verb, line, "221 bye");
            return;
          }
          default -> step(verb, line, "250 ok");
        }
      }
    }

    private void secure() throws IOException {
      String reaction = script.at(new Step("TLS", "", number, accepted));
      if (reaction != null) {
        react(reaction);
      }
      SSLSocket over =
          (SSLSocket) tls.getSocketFactory().createSocket(plain, null, plain.getPort(), false);
      over.setUseClientMode(false);
      over.startHandshake();
      secure = true;
      use(over);
    }

    private String ehlo() {
      StringBuilder reply = new StringBuilder("250-scripted");
      for (String offer : offers) {
        if (!(secure && offer.equals("STARTTLS"))) {
          reply.append("\r\n250-").append(offer);
        }
      }
      if (secure && afterTlsOnlyAuth) {
        reply.append("\r\n250-AUTH PLAIN LOGIN");
      }
      return reply.append("\r\n250 HELP").toString();
    }

    private String rcpt(String address) {
      String local = address.substring(0, Math.max(0, address.lastIndexOf('@')));
      Matcher code = CODE.matcher(local);
      if (code.matches()) {
        return code.group(1) + (code.group(2) == null ? "" : " " + code.group(2)) + " as asked";
      }
      Matcher grey = GREY.matcher(local);
      if (grey.matches()) {
        int times = seen.computeIfAbsent(local, l -> new AtomicInteger()).incrementAndGet();
        return times <= Integer.parseInt(grey.group(1)) ? "450 4.2.0 greylisted" : "250 ok";
      }
      return "250 2.1.5 ok";
    }

    private void body() throws IOException {
      ByteArrayOutputStream raw = new ByteArrayOutputStream();
      int state = 2; // 0: in a line, 1: CR, 2: at a line's begin, 3: dot, 4: dot CR
      while (state != 5) {
        int b = in.read();
        if (b < 0) {
          throw new EOFException();
        }
        raw.write(b);
        state =
            switch (b) {
              case '\r' -> state == 3 ? 4 : 1;
              case '\n' -> state == 4 ? 5 : state == 1 ? 2 : 0;
              case '.' -> state == 2 ? 3 : 0;
              default -> 0;
            };
      }
      String wire = raw.toString(StandardCharsets.ISO_8859_1);
      wire = wire.substring(0, wire.length() - 3);
      String usual = "250 2.0.0 queued as " + number + "-" + accepted;
      String local = to.isEmpty() ? "" : to.get(0);
      if (local.startsWith("dropdot@")) {
        usual = DROP;
      } else if (local.startsWith("hangdot@")) {
        usual = HANG;
      }
      mails.add(new Mail(from, mailLine, List.copyOf(to), wire, number));
      step(".", "", usual);
      accepted++;
      to.clear();
    }

    /** Reacts by the script, else as usual; answers what was said. */
    private String step(String verb, String line, String usual) throws IOException {
      String reaction = script.at(new Step(verb, line, number, accepted));
      return react(reaction == null ? usual : reaction);
    }

    private String react(String reaction) throws IOException {
      switch (reaction) {
        case DROP -> throw new EOFException();
        case RESET -> {
          plain.setSoLinger(true, 0);
          throw new EOFException();
        }
        case HANG -> {
          plain.setSoTimeout(0);
          while (in.read() >= 0) {
            // silent until the client goes
          }
          throw new EOFException();
        }
        case TRICKLE -> pour("250-trickle\r\n", 20);
        case ENDLESS -> pour("250-endless and endless and endless\r\n".repeat(100), 0);
        default -> {
          boolean drop = reaction.endsWith(THEN_DROP);
          String reply =
              drop ? reaction.substring(0, reaction.length() - THEN_DROP.length()) : reaction;
          out.write((reply + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
          out.flush();
          if (drop) {
            throw new EOFException();
          }
        }
      }
      return reaction;
    }

    private void pour(String text, int pauseMillis) throws IOException {
      byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
      while (true) {
        if (pauseMillis == 0) {
          out.write(bytes);
          continue;
        }
        for (byte b : bytes) {
          out.write(b);
          out.flush();
          plain.setSoTimeout(pauseMillis);
          try {
            if (in.read() < 0) {
              throw new SocketException("gone");
            }
          } catch (java.net.SocketTimeoutException e) {
            // that was the pause
          }
        }
      }
    }

    private String line() throws IOException {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      int b;
      while ((b = in.read()) != '\n') {
        if (b < 0) {
          throw new EOFException();
        }
        if (b != '\r') {
          line.write(b);
        }
      }
      return line.toString(StandardCharsets.UTF_8);
    }

    private static String path(String line) {
      int begin = line.indexOf('<');
      int end = line.indexOf('>');
      return begin < 0 || end < begin ? "" : line.substring(begin + 1, end);
    }
  }
}
