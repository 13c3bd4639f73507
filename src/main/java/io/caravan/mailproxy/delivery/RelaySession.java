package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import jakarta.mail.AuthenticationFailedException;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.URLName;
import java.io.IOException;
import java.net.Socket;
import java.util.Properties;
import javax.net.ssl.SSLException;
import org.eclipse.angus.mail.smtp.SMTPTransport;
import org.eclipse.angus.mail.util.SocketFetcher;
import org.jspecify.annotations.Nullable;

/**
 * Brings a connected socket to where mails may be sent, by the library: TLS, greeting, EHLO,
 * STARTTLS, AUTH; and tells what a failure on the way means.
 *
 * <p>Must be kept as long as its socket is used: the library's finalizer closes the socket.
 */
final class RelaySession extends SMTPTransport {
  /** What is said of AUTH holds it. */
  static final String LOG_IN = "log-in";

  /** How the text of a refusal begins that was given to AUTH. */
  static final String LOG_IN_REFUSED = LOG_IN + " refused";

  private enum Step {
    TLS,
    GREETING,
    EHLO,
    STARTTLS,
    AUTH
  }

  private final Account account;
  private final RelaySocket plain;
  private final TlsTrust trust;
  private final Properties properties;
  private Step step = Step.GREETING;
  private boolean secured;

  RelaySession(Account account, RelaySocket plain, TlsTrust trust, String heloName) {
    this(account, plain, trust, properties(account, trust, heloName));
  }

  private RelaySession(Account account, RelaySocket plain, TlsTrust trust, Properties properties) {
    super(
        Session.getInstance(properties),
        new URLName("smtp", account.host(), account.port(), null, null, null));
    this.account = account;
    this.plain = plain;
    this.trust = trust;
    this.properties = properties;
  }

  private static Properties properties(Account account, TlsTrust trust, String heloName) {
    Properties p = new Properties();
    boolean required = account.tls() == Account.Tls.STARTTLS;
    boolean opportunistic = account.tls() == Account.Tls.OPPORTUNISTIC;
    p.setProperty("mail.smtp.localhost", heloName);
    p.setProperty("mail.smtp.starttls.enable", Boolean.toString(required || opportunistic));
    p.setProperty("mail.smtp.starttls.required", Boolean.toString(required));
    p.setProperty("mail.smtp.ssl.checkserveridentity", Boolean.toString(!opportunistic));
    p.setProperty("mail.smtp.ssl.protocols", "TLSv1.3 TLSv1.2");
    p.put("mail.smtp.ssl.socketFactory", trust);
    return p;
  }

  /**
   * The whole set-up.
   *
   * @return the socket to speak on, TLS where the account asks for it
   */
  Socket open() throws RelayException {
    try {
      Socket socket = plain;
      if (account.tls() == Account.Tls.IMPLICIT) {
        step = Step.TLS;
        socket = SocketFetcher.startTLS(plain, account.host(), properties, "mail.smtp");
        secured = true;
        step = Step.GREETING;
      }
      connect(socket);
    } catch (MessagingException | IOException e) {
      throw judged(e);
    }
    boolean mayBeClear =
        account.tls() == Account.Tls.NONE || account.tls() == Account.Tls.OPPORTUNISTIC;
    if (!mayBeClear && !secured) {
      throw new RelayException(Kind.ACCOUNT, Phase.SESSION, "no TLS", null);
    }
    if (account.authenticates() && !supportsExtension("AUTH") && !supportsExtension("AUTH=LOGIN")) {
      throw new RelayException(
          Kind.ACCOUNT, Phase.SESSION, "the relay does not offer AUTH (" + LOG_IN + ")", null);
    }
    Socket tls = trust.made();
    return tls == null ? plain : tls;
  }

  /** Credentials come from the account, not from a URL or a property of the machine. */
  @Override
  protected synchronized boolean protocolConnect(
      String host, int port, @Nullable String user, @Nullable String password)
      throws MessagingException {
    boolean logIn = account.authenticates();
    return super.protocolConnect(
        account.host(),
        account.port(),
        logIn ? account.user() : null,
        logIn ? account.password() : null);
  }

  @Override
  protected boolean ehlo(String domain) throws MessagingException {
    step = Step.EHLO;
    boolean known = super.ehlo(domain);
    int code = getLastReturnCode();
    // HELO after it would hide a 421; after STARTTLS it would keep what was offered in clear text
    if (!known && (secured || code == 421 || code < 0)) {
      throw new MessagingException(getLastServerResponse());
    }
    if (known) {
      step = Step.AUTH;
    }
    return known;
  }

  @Override
  protected void startTLS() throws MessagingException {
    step = Step.STARTTLS;
    super.startTLS();
    secured = true;
  }

  private RelayException judged(Exception e) {
    int code = getLastReturnCode();
    Reply reply = Reply.parse(getLastServerResponse());
    Phase phase = step == Step.TLS || step == Step.GREETING ? Phase.CONNECT : Phase.SESSION;
    if (plain.expired()) {
      return new RelayException(Kind.UNREACHABLE, phase, "time-out at " + step, e);
    }
    if (step == Step.TLS || (step == Step.STARTTLS && code == 220)) {
      return handshake(phase, e);
    }
    if (step == Step.AUTH && e instanceof AuthenticationFailedException && code > 0) {
      boolean later = code >= 400 && code < 500;
      Reply refusal =
          Reply.parse(
              code + " " + LOG_IN_REFUSED + ": " + withoutPassword(getLastServerResponse()));
      return new RelayException(later ? Kind.TEMPORARY : Kind.ACCOUNT, phase, refusal, e);
    }
    if (code >= 400) {
      Kind kind = code >= 500 ? Kind.ACCOUNT : Kind.TEMPORARY;
      return new RelayException(kind, phase, reply, e);
    }
    if (step == Step.AUTH && account.tls() == Account.Tls.STARTTLS && !secured && code > 0) {
      return new RelayException(Kind.ACCOUNT, phase, "the relay does not offer STARTTLS", e);
    }
    return new RelayException(Kind.UNREACHABLE, phase, step + " failed: " + said(e), e);
  }

  /** A relay may repeat what it was told. */
  private String withoutPassword(@Nullable String reply) {
    String password = account.password();
    String text = reply == null ? "" : reply.strip();
    return password == null || password.isEmpty() ? text : text.replace(password, "***");
  }

  private RelayException handshake(Phase phase, Exception e) {
    boolean tls = step == Step.STARTTLS;
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      tls |= cause instanceof SSLException;
    }
    Kind kind = tls ? Kind.ACCOUNT : Kind.UNREACHABLE;
    return new RelayException(kind, phase, "TLS failed: " + said(e), e);
  }

  /** The innermost message: the library's outer ones say little. */
  static String said(Throwable e) {
    Throwable inner = e;
    while (inner.getCause() != null && inner.getCause() != inner) {
      inner = inner.getCause();
    }
    String message = inner.getMessage();
    String text = message == null || message.isBlank() ? inner.getClass().getSimpleName() : message;
    return Reply.clean(text.strip());
  }
}
