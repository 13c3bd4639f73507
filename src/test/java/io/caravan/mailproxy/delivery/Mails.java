package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Quota;
import io.caravan.mailproxy.message.Recipient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Accounts, mails and settings for the tests of this package. */
final class Mails {
  static final String SMALL = "From: a@x.test\r\nMessage-ID: <1@x.test>\r\n\r\nhello\r\n";

  /** What each step may take. */
  static final Duration STEP = Duration.ofSeconds(10);

  private Mails() {}

  static Account account(int port) {
    return account(port, null, null, null, null, 1);
  }

  static Account account(
      int port, String user, String password, Boolean useTls, String tlsCa, long revision) {
    return account("localhost", port, user, password, useTls, tlsCa, revision);
  }

  static Account account(
      String host,
      int port,
      String user,
      String password,
      Boolean useTls,
      String tlsCa,
      long revision) {
    return new Account(
        1,
        revision,
        "t",
        "acc",
        Account.Type.RELAY,
        host,
        port,
        user,
        password,
        useTls,
        300,
        2,
        0,
        null,
        null,
        tlsCa,
        null,
        false,
        Quota.NONE);
  }

  /** Of type MX. */
  static Account direct(int port, Boolean useTls) {
    return new Account(
        1,
        1,
        "t",
        "acc",
        Account.Type.MX,
        "mx",
        port,
        null,
        null,
        useTls,
        300,
        2,
        0,
        null,
        null,
        null,
        null,
        false,
        Quota.NONE);
  }

  static Account limits(Account a, int ttlSeconds, int connections, int messages) {
    return new Account(
        a.pk(),
        a.revision(),
        a.tenantId(),
        a.id(),
        a.type(),
        a.host(),
        a.port(),
        a.user(),
        a.password(),
        a.useTls(),
        ttlSeconds,
        connections,
        messages,
        null,
        a.localAddress(),
        a.tlsCa(),
        a.failoverAccountId(),
        false,
        a.quota());
  }

  static Account at(Account a, String host, String localAddress) {
    return new Account(
        a.pk(),
        a.revision(),
        a.tenantId(),
        a.id(),
        a.type(),
        host,
        a.port(),
        a.user(),
        a.password(),
        a.useTls(),
        a.ttlSeconds(),
        a.maxConnections(),
        a.maxMessagesPerConnection(),
        null,
        localAddress,
        a.tlsCa(),
        a.failoverAccountId(),
        false,
        a.quota());
  }

  static OutgoingMail mail(Account account, String... to) {
    return mail(account, SMALL, DataGate.OPEN, to);
  }

  static OutgoingMail mail(Account account, String content, DataGate gate, String... to) {
    return from("a@x.test", account, content, gate, to);
  }

  static OutgoingMail from(
      String sender, Account account, String content, DataGate gate, String... to) {
    List<Recipient> recipients = new ArrayList<>();
    for (String address : to) {
      recipients.add(new Recipient(recipients.size(), address));
    }
    return new OutgoingMail(
        account,
        sender,
        recipients,
        "<1@x.test>",
        content.getBytes(StandardCharsets.ISO_8859_1),
        gate);
  }

  /** Long enough for any machine: for each step {@link #STEP}. */
  static SmtpSettings patient() {
    return patientBut(STEP, STEP, Duration.ofSeconds(30));
  }

  /** Patient with all but what is given. */
  static SmtpSettings patientBut(Duration command, Duration dot, Duration message) {
    return new SmtpSettings(
        STEP, command, dot, message, Duration.ofMinutes(1), STEP, "test.example");
  }

  /** Sends and judges, as the route does. */
  static List<Answer> send(SmtpPool pool, OutgoingMail mail) {
    try {
      pool.send(mail);
      return new ReplyClassifier().answers(mail, null);
    } catch (jakarta.mail.MessagingException e) {
      return new ReplyClassifier().answers(mail, e);
    }
  }
}
