package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import jakarta.mail.MessagingException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import org.eclipse.angus.mail.util.MailConnectException;
import org.eclipse.angus.mail.util.SocketConnectException;
import org.jspecify.annotations.Nullable;

/** A session with a relay, ready for one mail after the other. One thread at a time. */
final class SmtpConnection {
  /** Mails up to this size leave in one write together with their dot. */
  private static final int BUFFER = 32 * 1024;

  /** A connection unused for this long is looked at before it is used again. */
  private static final long LOOK_AFTER = Duration.ofMillis(200).toNanos();

  private static final byte[] QUIT = "QUIT\r\n".getBytes(StandardCharsets.US_ASCII);

  private final Account account;
  private final SmtpSettings settings;
  private final ServerAddresses addresses;
  private final long openedAt = System.nanoTime();
  private final byte[] buffer = new byte[BUFFER];

  /** Replaced for each address of the host that is tried. */
  private volatile RelaySocket plain = new RelaySocket();

  private volatile Opened open = Opened.NOT_YET;
  private long messageDeadline;
  private long idleSince;
  private int messages;
  private int closedAfter;
  private boolean usable;

  /** What is there once the session stands; {@code session} is only held, see there. */
  private record Opened(
      @Nullable RelaySession session,
      Socket socket,
      InputStream in,
      OutputStream out,
      ReplyReader replies,
      Offers offers) {
    static final Opened NOT_YET =
        new Opened(
            null,
            new Socket(),
            InputStream.nullInputStream(),
            OutputStream.nullOutputStream(),
            new ReplyReader(InputStream.nullInputStream()),
            new Offers(false, false, false, 0));
  }

  SmtpConnection(Account account, SmtpSettings settings, ServerAddresses addresses) {
    this.account = account;
    this.settings = settings;
    this.addresses = addresses;
  }

  /** Connects and sets the session up. */
  void open(SSLContext tls, String heloName) throws MessagingException {
    RelaySocket socket = connected();
    socket.setPerformancePreferences(0, 1, 0);
    try {
      socket.setTcpNoDelay(true);
      socket.setKeepAlive(true);
      arm(settings.commandTimeout());
      RelaySession session = new RelaySession(account, socket, TlsTrust.of(tls), heloName);
      Socket speaking = session.open();
      socket.sessionStands();
      InputStream in = speaking.getInputStream();
      open =
          new Opened(
              session,
              speaking,
              in,
              speaking.getOutputStream(),
              new ReplyReader(in),
              Offers.of(session));
    } catch (IOException e) {
      throw new RelayException(Kind.UNREACHABLE, Phase.CONNECT, RelaySession.said(e), e);
    }
  }

  /** Tries the host's addresses in turn; the deadline is one for all. */
  private RelaySocket connected() throws MessagingException {
    IOException last = null;
    long due = System.nanoTime() + settings.connectTimeout().toNanos();
    try {
      InetAddress local =
          account.localAddress() == null ? null : InetAddress.getByName(account.localAddress());
      for (InetAddress address : addresses.of(account)) {
        if (local != null && local.getClass() != address.getClass()) {
          continue;
        }
        RelaySocket socket = new RelaySocket();
        plain = socket;
        armUntil(due);
        try {
          if (local != null) {
            socket.bind(new InetSocketAddress(local, 0));
          }
          socket.connect(RelaySocket.target(address, account));
          return socket;
        } catch (IOException e) {
          socket.closeQuietly();
          last = e;
          if (socket.expired()) {
            break;
          }
        }
      }
    } catch (IOException e) {
      last = e;
    }
    IOException why = last == null ? new IOException("no address that fits local_address") : last;
    if (plain.expired()) {
      why = new SocketTimeoutException("time-out at connect");
    }
    int millis = (int) settings.connectTimeout().toMillis();
    throw new MailConnectException(
        new SocketConnectException("connect", why, account.host(), account.port(), millis));
  }

  // one mail

  /** From here on {@code deadline} ({@link System#nanoTime}) rules; unusable until it went well. */
  void begin(long deadline) {
    messageDeadline = deadline;
    usable = false;
  }

  /** Gives the next step at most so long. */
  void arm(Duration most) throws IOException {
    armUntil(System.nanoTime() + most.toNanos());
  }

  private void armUntil(long due) throws IOException {
    plain.arm(due - messageDeadline < 0 ? due : messageDeadline);
  }

  boolean expired() {
    return plain.expired();
  }

  /** Whether a failed write says for certain that its last byte did not leave. */
  boolean failedWriteIsCertain() {
    return open.socket() == plain && !plain.isClosed();
  }

  Offers offers() {
    return open.offers();
  }

  ReplyReader replies() {
    return open.replies();
  }

  /** For a mail and its dot; {@link #write} takes it. */
  byte[] buffer() {
    return buffer;
  }

  void write(byte[] bytes, int offset, int length) throws IOException {
    open.out().write(bytes, offset, length);
    open.out().flush();
  }

  void write(String commands) throws IOException {
    byte[] bytes = commands.getBytes(StandardCharsets.UTF_8);
    write(bytes, 0, bytes.length);
  }

  /** Whether the relay said something already. */
  boolean hasPending() throws IOException {
    return open.replies().hasUnread() || open.in().available() > 0;
  }

  boolean usedBefore() {
    return messages > 0;
  }

  /** The relay said 421 to the first command of another mail. */
  void refusedAnother() {
    closedAfter = messages;
  }

  /** Mails after which the relay would take no more; 0: it did not say so. */
  int closedAfter() {
    return closedAfter;
  }

  /** The transaction ended and the next may begin. */
  void done() {
    usable = true;
  }

  void end() {
    messages++;
    plain.disarm();
    idleSince = System.nanoTime();
  }

  // between mails

  Account account() {
    return account;
  }

  /** Whether a session opened for one serves the other. */
  static boolean sameSession(Account a, Account b) {
    return a.equals(b)
        || (a.revision() == b.revision()
            && a.port() == b.port()
            && a.tls() == b.tls()
            && a.host().equals(b.host())
            && a.tenantId().equals(b.tenantId())
            && a.id().equals(b.id())
            && Objects.equals(a.user(), b.user())
            && Objects.equals(a.password(), b.password())
            && Objects.equals(a.localAddress(), b.localAddress())
            && Objects.equals(a.tlsCa(), b.tlsCa()));
  }

  /**
   * Whether it may carry another mail, as far as can be told without asking the relay.
   *
   * @param most mails on one connection; 0: no limit
   */
  boolean keeps(Account now, int most, long time) {
    return usable
        && (most == 0 || messages < most)
        && time - openedAt < Duration.ofSeconds(now.ttlSeconds()).toNanos();
  }

  boolean idleTooLong(long time) {
    return time - idleSince >= settings.idleTimeout().toNanos();
  }

  /** Whether the relay neither closed it nor said anything since the last mail. */
  boolean alive() {
    try {
      if (hasPending()) {
        return false;
      }
      if (System.nanoTime() - idleSince < LOOK_AFTER) {
        return true;
      }
      open.socket().setSoTimeout(1);
      open.in().read();
      return false;
    } catch (SocketTimeoutException silent) {
      return soTimeoutOff();
    } catch (IOException e) {
      return false;
    }
  }

  private boolean soTimeoutOff() {
    try {
      open.socket().setSoTimeout(0);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  void expireIfDue(long now) {
    plain.expireIfDue(now);
  }

  /** Ends what is under way on it; who waits on it gets a time-out. */
  void expire() {
    plain.expire();
  }

  /** Says QUIT where the session is in order, waits for no reply, never fails. */
  void close() {
    if (usable) {
      try {
        write(QUIT, 0, QUIT.length);
      } catch (IOException ignored) {
        // the relay closed first
      }
    }
    plain.closeQuietly();
  }
}
