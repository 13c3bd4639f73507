package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Quota;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/** Goes to a relay as far as can be gone without a password and a mail, and tells each step. */
public final class RelayCheck {
  /**
   * One step.
   *
   * @param step DNS, TCP, session, TLS, AUTH or SIZE
   * @param good whether mail could go on from there
   */
  public record Finding(String step, boolean good, String text) {}

  private final Account account;
  private final boolean logsIn;
  private final Duration patience;
  private final List<Finding> findings = new ArrayList<>();

  private RelayCheck(Account account, boolean logsIn, Duration patience) {
    this.account = account;
    this.logsIn = logsIn;
    this.patience = patience;
  }

  /**
   * Tries a relay; ends at the first step that fails.
   *
   * @param useTls as of an account
   * @param tlsCa as of an account
   * @param logsIn whether the account has a user, so that the relay must offer AUTH
   * @param patience for each step
   */
  public static List<Finding> of(
      String host,
      int port,
      @Nullable Boolean useTls,
      @Nullable String tlsCa,
      boolean logsIn,
      Duration patience) {
    Account account =
        new Account(
            0,
            0,
            "",
            "check",
            Account.Type.RELAY,
            host,
            port,
            null,
            null,
            useTls,
            1,
            1,
            0,
            null,
            null,
            tlsCa,
            null,
            Quota.NONE);
    RelayCheck check = new RelayCheck(account, logsIn, patience);
    check.run();
    return check.findings;
  }

  private void run() {
    InetAddress[] addresses = step("DNS", null, () -> InetAddress.getAllByName(account.host()));
    if (addresses == null) {
      return;
    }
    good(
        "DNS",
        String.join(", ", Arrays.stream(addresses).map(InetAddress::getHostAddress).toList()));
    RelaySocket socket = connected(addresses);
    if (socket == null) {
      return;
    }
    try {
      RelaySession session = session(socket);
      if (session != null) {
        tell(session);
      }
    } finally {
      socket.closeQuietly();
    }
  }

  private @Nullable RelaySocket connected(InetAddress[] addresses) {
    int millis = (int) patience.toMillis() / addresses.length;
    IOException last = new IOException("no address");
    for (InetAddress address : addresses) {
      RelaySocket socket = new RelaySocket();
      try {
        socket.connect(new InetSocketAddress(address, account.port()), millis);
        good("TCP", address.getHostAddress() + " port " + account.port());
        return socket;
      } catch (IOException e) {
        socket.closeQuietly();
        last = e;
      }
    }
    bad("TCP", "port " + account.port() + ": " + RelaySession.said(last));
    return null;
  }

  /** Greeting, EHLO, and TLS with the certificate checked. */
  private @Nullable RelaySession session(RelaySocket socket) {
    TlsTrust trust;
    try {
      trust = TlsTrust.of(TlsTrust.context(account.tlsCa()));
    } catch (GeneralSecurityException | IOException e) {
      bad("TLS", RelaySession.said(e));
      return null;
    }
    RelaySession session = new RelaySession(account, socket, trust, "[127.0.0.1]");
    Socket speaking = step("session", socket, session::open);
    if (speaking == null) {
      return null;
    }
    good("session", "greeting and EHLO");
    if (speaking instanceof SSLSocket tls) {
      good("TLS", tls.getSession().getProtocol() + ", " + certificate(tls));
    } else {
      good(
          "TLS",
          session.supportsExtension("STARTTLS")
              ? "none, though the relay offers STARTTLS"
              : "none, and the relay offers none");
    }
    return session;
  }

  private void tell(RelaySession session) {
    boolean offered = session.supportsExtension("AUTH") || session.supportsExtension("AUTH=LOGIN");
    if (logsIn && !offered) {
      bad("AUTH", "not offered, and the account has a user");
    } else {
      String kinds = session.getExtensionParameter("AUTH");
      good(
          "AUTH",
          offered ? "offered: " + Reply.clean(kinds == null ? "LOGIN" : kinds) : "not offered");
    }
    long size = Offers.of(session).size();
    good("SIZE", size > 0 ? size + " bytes" : size == 0 ? "not offered" : "no limit");
  }

  private static String certificate(SSLSocket tls) {
    try {
      for (Certificate certificate : tls.getSession().getPeerCertificates()) {
        if (certificate instanceof X509Certificate x509) {
          return x509.getSubjectX500Principal().getName()
              + " until "
              + x509.getNotAfter().toInstant();
        }
      }
    } catch (IOException e) {
      return "no certificate";
    }
    return "no certificate";
  }

  /** Runs it for at most {@link #patience}; {@code null}: it failed, and that is told. */
  private <T> @Nullable T step(String name, @Nullable RelaySocket socket, Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread thread = new Thread(task, "check");
    thread.setDaemon(true);
    thread.start();
    try {
      return task.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      bad(name, "no answer within " + patience.toSeconds() + " s");
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      bad(name, cause instanceof RelayException relay ? relay.text() : RelaySession.said(e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      bad(name, "interrupted");
    }
    if (socket != null) {
      socket.expire();
    }
    return null;
  }

  private void good(String step, String text) {
    findings.add(new Finding(step, true, text));
  }

  private void bad(String step, String text) {
    findings.add(new Finding(step, false, text));
  }
}
