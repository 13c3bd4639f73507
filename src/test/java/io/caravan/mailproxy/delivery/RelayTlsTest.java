package io.caravan.mailproxy.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * TLS is never skipped, certificates are always checked, a refused log-in is the account's (F25 to
 * F27).
 */
class RelayTlsTest {
  private static final String CA = pem();

  private SmtpPool pool = new SmtpPool(Mails.patient());
  private ScriptedSmtpServer server;

  @AfterEach
  void stop() throws Exception {
    pool.close();
    server.close();
  }

  private static String pem() {
    try (var in = RelayTlsTest.class.getResourceAsStream("/tls/ca.pem")) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    } catch (java.io.IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private void react(String verb, String reaction) {
    server.script = step -> step.is(verb) ? reaction : null;
    if (reaction.equals(ScriptedSmtpServer.HANG)) {
      pool.close();
      Duration step = Duration.ofSeconds(2);
      pool = new SmtpPool(Mails.patientBut(step, step, Duration.ofSeconds(5)));
    }
  }

  private void startTls(String keystore) throws Exception {
    server = new ScriptedSmtpServer(keystore, false);
    server.offers = List.of("PIPELINING", "STARTTLS");
  }

  private Answer send(String user, String password, String tlsCa) {
    Account account = Mails.account(server.port(), user, password, true, tlsCa, 1);
    return Mails.send(pool, Mails.mail(account, "b@y.test")).get(0);
  }

  @Test
  void startTlsWithTheAccountsOwnAnchor() throws Exception {
    startTls("good.p12");
    assertThat(send(null, null, CA).kind()).isEqualTo(Kind.ACCEPTED);
    assertThat(send(null, null, CA).kind()).isEqualTo(Kind.ACCEPTED);
    assertThat(server.lines)
        .startsWith("EHLO test.example", "STARTTLS", "EHLO test.example", "MAIL FROM:<a@x.test>");
    assertThat(server.connections).hasValue(1);
  }

  @Test
  void aLivingTlsConnectionIsUsedAgainAfterAPause() throws Exception {
    startTls("good.p12");
    send(null, null, CA);
    org.awaitility.Awaitility.await().pollDelay(Duration.ofMillis(300)).until(() -> true);
    assertThat(send(null, null, CA).kind()).isEqualTo(Kind.ACCEPTED);
    assertThat(server.connections).hasValue(1);
  }

  @ParameterizedTest
  @CsvSource({"good.p12, false", "expired.p12, true", "elsewhere.p12, true"})
  void aCertificateThatDoesNotHoldIsTheAccountsTrouble(String keystore, boolean anchored)
      throws Exception {
    startTls(keystore);
    Answer answer = send(null, null, anchored ? CA : null);
    assertThat(answer.kind()).isEqualTo(Kind.ACCOUNT);
    assertThat(answer.phase()).isEqualTo(Phase.SESSION);
    assertThat(answer.text()).startsWith("TLS failed");
    assertThat(server.count("MAIL")).isZero();
  }

  /** Who answers for 127.0.0.1 backwards does not say what a certificate has to be for. */
  @ParameterizedTest
  @CsvSource({
    "named.p12, localhost, ACCEPTED",
    "named.p12, 127.0.0.1, ACCOUNT",
    "addressed.p12, 127.0.0.1, ACCEPTED"
  })
  void aCertificateIsHeldAgainstWhatTheAccountNames(String keystore, String host, Kind kind)
      throws Exception {
    startTls(keystore);
    Account account = Mails.account(host, server.port(), null, null, true, CA, 1);
    assertThat(Mails.send(pool, Mails.mail(account, "b@y.test")).get(0).kind()).isEqualTo(kind);
  }

  @Test
  void startTlsNotOfferedMeansNoMail() throws Exception {
    server = new ScriptedSmtpServer("good.p12", false);
    Answer answer = send("user", "secret", CA);
    assertThat(answer.kind()).isEqualTo(Kind.ACCOUNT);
    assertThat(answer.text()).contains("STARTTLS");
    assertThat(server.count("MAIL")).isZero();
    assertThat(server.count("AUTH")).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "STARTTLS, 454 4.7.0 not now, TEMPORARY",
    "STARTTLS, 502 5.5.1 what, ACCOUNT",
    "STARTTLS, !drop, UNREACHABLE",
    "STARTTLS, !hang, UNREACHABLE",
    "TLS, !drop, ACCOUNT",
    "TLS, !hang, UNREACHABLE",
    "TLS, 500 this is no TLS!then-drop, ACCOUNT",
  })
  void aBrokenStartTlsMeansNoMail(String verb, String reaction, Kind kind) throws Exception {
    startTls("good.p12");
    react(verb, reaction);
    assertThat(send(null, null, CA).kind()).isEqualTo(kind);
    assertThat(server.count("MAIL")).isZero();
  }

  @Test
  void whatIsSaidInClearTextAfterStartTlsIsForgotten() throws Exception {
    startTls("good.p12");
    server.script = step -> step.is("STARTTLS") ? "220 go\r\n250-evil\r\n250 AUTH PLAIN" : null;
    Answer answer = send("user", "secret", CA);
    assertThat(answer.kind()).isEqualTo(Kind.ACCOUNT);
    assertThat(server.count("AUTH")).isZero();
  }

  @Test
  void ehloRefusedUnderTlsDoesNotKeepTheClearTextOffers() throws Exception {
    startTls("good.p12");
    server.script = step -> step.is("EHLO") && server.count("STARTTLS") > 0 ? "500 no" : null;
    assertThat(send(null, null, CA).kind()).isEqualTo(Kind.ACCOUNT);
    assertThat(server.count("MAIL")).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"garbage", "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----"})
  void anUnreadableAnchorIsTheAccountsTrouble(String pem) throws Exception {
    startTls("good.p12");
    Answer answer = send(null, null, pem);
    assertThat(answer.kind()).isEqualTo(Kind.ACCOUNT);
    assertThat(answer.text()).startsWith("tls_ca");
    assertThat(server.connections).hasValue(0);
  }

  @ParameterizedTest
  @CsvSource({
    "235 2.7.0 welcome, ACCEPTED",
    "535 5.7.8 wrong, ACCOUNT",
    "534 5.7.9 too weak, ACCOUNT",
    "454 4.7.0 later, TEMPORARY",
    "421 4.3.2 bye, TEMPORARY",
    "!drop, UNREACHABLE",
    "!hang, UNREACHABLE",
  })
  void logIn(String reaction, Kind kind) throws Exception {
    startTls("good.p12");
    server.afterTlsOnlyAuth = true;
    react("AUTH", reaction);
    Answer answer = send("user", "secret", CA);
    assertThat(answer.kind()).isEqualTo(kind);
    if (kind == Kind.ACCOUNT) {
      assertThat(answer.code()).isEqualTo(Integer.parseInt(reaction.substring(0, 3)));
      assertThat(answer.text()).doesNotContain("secret");
    }
  }

  @Test
  void logInNotOfferedIsTheAccountsTrouble() throws Exception {
    startTls("good.p12");
    Answer answer = send("user", "secret", CA);
    assertThat(answer.kind()).isEqualTo(Kind.ACCOUNT);
    assertThat(answer.text()).contains("AUTH");
    assertThat(server.count("MAIL")).isZero();
  }

  @Test
  void implicitTls() throws Exception {
    try (ScriptedSmtpServer other = new ScriptedSmtpServer("good.p12", true)) {
      server = other;
      try (SmtpConnectionHolder holder = new SmtpConnectionHolder(implicit(CA))) {
        assertThat(holder.send()).isEqualTo("ACCEPTED");
      }
      try (SmtpConnectionHolder holder = new SmtpConnectionHolder(implicit(null))) {
        assertThat(holder.send()).isEqualTo("ACCOUNT");
      }
    }
  }

  /** Implicit TLS stands for port 465, so the socket is set up by hand here. */
  private Account implicit(String tlsCa) {
    return Mails.account(465, null, null, true, tlsCa, 1);
  }

  private final class SmtpConnectionHolder implements AutoCloseable {
    private final RelaySocket socket = new RelaySocket();
    private final Account account;

    SmtpConnectionHolder(Account account) throws Exception {
      this.account = account;
      socket.connect(
          new java.net.InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), server.port()));
    }

    String send() throws Exception {
      RelaySession session =
          new RelaySession(account, socket, TlsTrust.of(TlsTrust.context(account.tlsCa())), "t");
      try {
        java.net.Socket speaking = session.open();
        assertThat(speaking).isInstanceOf(javax.net.ssl.SSLSocket.class);
        assertThat(((javax.net.ssl.SSLSocket) speaking).getSession().getProtocol())
            .isIn("TLSv1.2", "TLSv1.3");
        return "ACCEPTED";
      } catch (RelayException e) {
        return e.kind().name();
      }
    }

    @Override
    public void close() {
      socket.closeQuietly();
    }
  }
}
