package io.caravan.mailproxy.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.endtoend.TestPorts;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import jakarta.mail.MessagingException;
import java.io.IOException;
import java.util.List;
import java.util.Properties;
import org.apache.camel.component.mail.DefaultJavaMailSender;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The library's own sender in place of ours sends the same mail, and its exceptions are judged. */
class StockSenderTest {
  private ScriptedSmtpServer server;
  private Account account;
  private DefaultJavaMailSender sender;

  @BeforeEach
  void start() throws Exception {
    server = new ScriptedSmtpServer();
    account = Mails.account(server.port());
    sender = new DefaultJavaMailSender();
    sender.setProtocol("smtp");
    sender.setHost("127.0.0.1");
    sender.setPort(server.port());
    sender.getJavaMailProperties().setProperty("mail.smtp.localhost", "test.example");
    patience(20_000);
  }

  private void patience(int millis) {
    Properties p = sender.getJavaMailProperties();
    p.setProperty("mail.smtp.timeout", "" + millis);
    p.setProperty("mail.smtp.connectiontimeout", "" + millis);
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  private List<Answer> send(OutgoingMail mail) {
    try {
      sender.send(mail);
      return new ReplyClassifier().answers(mail, null);
    } catch (MessagingException e) {
      return new ReplyClassifier().answers(mail, new IllegalStateException("as in a route", e));
    }
  }

  @Test
  void sendsTheEnvelopeAndTheBytes() {
    String mail =
        "From: a@x.test\r\nTo: other@z.test\r\nMessage-ID: <1@x.test>\r\n\r\n.dot\r\nhi\r\n";
    List<Answer> answers =
        send(Mails.from("bounces@x.test", account, mail, DataGate.OPEN, "b@y.test", "c@y.test"));
    assertThat(answers).extracting(Answer::kind).containsOnly(Kind.ACCEPTED).hasSize(2);
    assertThat(server.mails)
        .singleElement()
        .satisfies(
            m -> {
              assertThat(m.from()).isEqualTo("bounces@x.test");
              assertThat(m.to()).containsExactly("b@y.test", "c@y.test");
              assertThat(m.content()).isEqualTo(mail);
            });
  }

  @Test
  void sendsTheNullReturnPath() {
    send(Mails.from("", account, Mails.SMALL, DataGate.OPEN, "b@y.test"));
    assertThat(server.mails.get(0).mailLine()).startsWith("MAIL FROM:<>");
  }

  @ParameterizedTest(name = "{0} {1} -> {2}")
  @CsvSource({
    "CONNECT, 421 4.3.2 busy, TEMPORARY",
    "CONNECT, 554 5.3.2 no, ACCOUNT",
    "CONNECT, !drop, UNREACHABLE",
    "CONNECT, !hang, UNREACHABLE",
    "MAIL, 451 4.3.0 later, TEMPORARY",
    "MAIL, 550 5.1.8 sender, PERMANENT",
    "MAIL, !drop, UNREACHABLE",
    "MAIL, !hang, UNREACHABLE",
    "RCPT, 550 5.1.1 nobody, PERMANENT",
    "RCPT, 450 4.2.0 grey, TEMPORARY",
    "RCPT, !drop, UNREACHABLE",
    "DATA, 451 4.3.0 later, TEMPORARY",
    "DATA, 554 5.6.0 no, PERMANENT",
    "DATA, !drop, UNREACHABLE",
    "DATA, !hang, UNREACHABLE",
    "., !drop, UNCERTAIN",
    "., !hang, UNCERTAIN",
    "., 451 4.3.0 later, TEMPORARY",
    "., 554 5.7.1 spam, PERMANENT",
    "QUIT, !hang, ACCEPTED",
  })
  void itsExceptionsAreJudged(String verb, String reaction, Kind kind) {
    server.script = step -> step.is(verb) ? reaction : null;
    if (reaction.equals(ScriptedSmtpServer.HANG)) {
      patience(1000);
    }
    Answer answer = send(Mails.mail(account, "b@y.test")).get(0);
    assertThat(answer.kind()).as(answer.toString()).isEqualTo(kind);
    if (Character.isDigit(reaction.charAt(0))) {
      assertThat(answer.code()).isEqualTo(Integer.parseInt(reaction.substring(0, 3)));
      assertThat(answer.enhanced()).isEqualTo(reaction.substring(4, 9));
    }
  }

  @Test
  void aPartialRefusalIsNoReasonToSendTwice() {
    assertThat(send(Mails.mail(account, "ok@y.test", "550@y.test", "450@y.test")))
        .extracting(Answer::kind)
        .containsExactly(Kind.ACCEPTED, Kind.PERMANENT, Kind.TEMPORARY);
  }

  @Test
  void aBreakAfterTheDotLeavesTheRefusedCertain() {
    server.script = step -> step.is(".") ? ScriptedSmtpServer.DROP : null;
    assertThat(send(Mails.mail(account, "ok@y.test", "450@y.test")))
        .extracting(Answer::kind)
        .containsExactly(Kind.UNCERTAIN, Kind.TEMPORARY);
  }

  @Test
  void logInRefused() {
    server.offers = List.of("AUTH PLAIN");
    server.script = step -> step.is("AUTH") ? "535 5.7.8 wrong" : null;
    sender.setUsername("user");
    sender.setPassword("secret");
    Answer answer = send(Mails.mail(account, "b@y.test")).get(0);
    assertThat(answer.kind()).isEqualTo(Kind.ACCOUNT);
    assertThat(answer.code()).isEqualTo(535);
  }

  @Test
  void startTlsNotOffered() {
    sender.getJavaMailProperties().setProperty("mail.smtp.starttls.required", "true");
    assertThat(send(Mails.mail(account, "b@y.test")).get(0).kind()).isEqualTo(Kind.ACCOUNT);
  }

  @Test
  void nobodyListens() throws IOException {
    sender.setPort(TestPorts.next());
    assertThat(send(Mails.mail(account, "b@y.test")).get(0).kind()).isEqualTo(Kind.UNREACHABLE);
  }

  @Test
  void anAddressThatCannotBeSaid() {
    assertThat(send(Mails.mail(account, "v\r\nDATA@y.test")).get(0).kind())
        .isEqualTo(Kind.PERMANENT);
    assertThat(server.count("DATA")).isZero();
  }

  @Test
  void aFileEndpointHandsOver() {
    OutgoingMail mail = Mails.mail(account, "b@y.test");
    assertThat(mail.content()).asString().isEqualTo(Mails.SMALL);
    Answer answer = new ReplyClassifier().answers(mail, null).get(0);
    assertThat(answer.kind()).isEqualTo(Kind.ACCEPTED);
    assertThat(answer.code()).isZero();
    assertThat(new ReplyClassifier().answers(mail, new IOException("disk full")))
        .extracting(Answer::kind)
        .containsExactly(Kind.UNREACHABLE);
  }

  @Test
  void bothSendersStandBehindTheEndpoint() throws Exception {
    try (DefaultCamelContext camel = new DefaultCamelContext();
        SmtpPool pool = new SmtpPool(Mails.patient())) {
      camel.getRegistry().bind("smtpPool", pool);
      camel.start();
      OutgoingMail ours = Mails.mail(account, "b@y.test");
      camel.createProducerTemplate().sendBody("smtp://relay?javaMailSender=#bean:smtpPool", ours);
      assertThat(ours.answers()).extracting(Answer::kind).containsExactly(Kind.ACCEPTED);
      OutgoingMail stock = Mails.mail(account, "c@y.test");
      camel.createProducerTemplate().sendBody("smtp://127.0.0.1:" + server.port(), stock);
      assertThat(stock.answers()).isEmpty();
      assertThat(server.mails).hasSize(2);
      assertThat(pool.opened()).isEqualTo(1);
    }
  }
}
