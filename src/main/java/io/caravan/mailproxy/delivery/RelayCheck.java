package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
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

/** Goes to a relay and logs in as an attempt would, without a mail, and tells each step. */
final class RelayCheck {
  /**
   * One step.
   *
   * @param step DNS, TCP, session, TLS, AUTH or SIZE
   * @param ok whether mail could go on from there
   */
  record Finding(String step, boolean ok, String text) {}

  private final Account account;
  private final ServerAddresses addresses;
  private final String heloName;
  private final Duration patience;
  private final List<Finding> findings = new ArrayList<>();

  private RelayCheck(
      Account account, ServerAddresses addresses, String heloName, Duration patience) {
    this.account = account;
    this.addresses = addresses;
    this.heloName = heloName;
    this.patience = patience;
  }

  /**
   * Tries a relay; ends at the first step that fails.
   *
   * @param patience for each step
   */
  static List<Finding> of(
      Account account, ServerAddresses addresses, String heloName, Duration patience) {
    RelayCheck check = new RelayCheck(account, addresses, heloName, patience);
    check.run();
    return check.findings;
  }

  private void run() {
    InetAddress[] found = step("DNS", null, () -> addresses.of(account));
    if (found == null) {
      return;
    }
    good("DNS", String.join(", ", Arrays.stream(found).map(InetAddress::getHostAddress).toList()));
    RelaySocket socket = connected(found);
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

  private @Nullable RelaySocket connected(InetAddress[] found) {
    int millis = (int) patience.toMillis() / found.length;
    IOException last = new IOException("no address");
    for (InetAddress address : found) {
      RelaySocket socket = new RelaySocket();
      try {
        if (account.localAddress() != null) {
          socket.bind(new InetSocketAddress(account.localAddress(), 0));
        }
        socket.connect(RelaySocket.target(address, account), millis);
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

  /** Greeting, EHLO, TLS with the certificate checked, log-in. */
  private @Nullable RelaySession session(RelaySocket socket) {
    TlsTrust trust;
    try {
      trust = TlsTrust.of(TlsTrust.context(account.tlsCa()));
    } catch (GeneralSecurityException | IOException e) {
      bad("TLS", RelaySession.said(e));
      return null;
    }
    RelaySession session = new RelaySession(account, socket, trust, heloName);
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
    String kinds = session.getExtensionParameter("AUTH");
    good(
        "AUTH",
        account.authenticates()
            ? "logged in as " + account.user()
            : kinds == null
                ? "not offered"
                : "offered, and the account has no user with a password");
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
      failed(name, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      bad(name, "interrupted");
    }
    if (socket != null) {
      socket.expire();
    }
    return null;
  }

  private void failed(String step, ExecutionException e) {
    String text =
        e.getCause() instanceof RelayException relay ? relay.text() : RelaySession.said(e);
    boolean auth = text.contains(RelaySession.LOG_IN);
    bad(auth ? "AUTH" : text.startsWith("TLS") ? "TLS" : step, text);
  }

  private void good(String step, String text) {
    findings.add(new Finding(step, true, text));
  }

  private void bad(String step, String text) {
    findings.add(new Finding(step, false, text));
  }
}
