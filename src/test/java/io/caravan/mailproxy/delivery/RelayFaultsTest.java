package io.caravan.mailproxy.delivery;

import static io.caravan.mailproxy.delivery.ScriptedSmtpServer.DROP;
import static io.caravan.mailproxy.delivery.ScriptedSmtpServer.ENDLESS;
import static io.caravan.mailproxy.delivery.ScriptedSmtpServer.HANG;
import static io.caravan.mailproxy.delivery.ScriptedSmtpServer.RESET;
import static io.caravan.mailproxy.delivery.ScriptedSmtpServer.THEN_DROP;
import static io.caravan.mailproxy.delivery.ScriptedSmtpServer.TRICKLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.caravan.mailproxy.endtoend.TestPorts;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What relays do wrong, and what it means for each recipient (F16 to F31). */
class RelayFaultsTest {
  private static final Duration BRIEF = Duration.ofSeconds(1);
  private static final Duration DEADLINE = Duration.ofMillis(1500);

  private ScriptedSmtpServer server;
  private SmtpPool pool;
  private Account account;

  @BeforeEach
  void start() throws Exception {
    server = new ScriptedSmtpServer();
    pool = new SmtpPool(Mails.patient());
    account = Mails.account(server.port());
  }

  @AfterEach
  void stop() throws Exception {
    pool.close();
    server.close();
  }

  private List<Answer> send(String... to) {
    return Mails.send(pool, Mails.mail(account, to));
  }

  private void hurry(Duration command, Duration dot) {
    settings(Mails.patientBut(command, dot, Duration.ofSeconds(30)));
  }

  private void settings(SmtpSettings settings) {
    pool.close();
    pool = new SmtpPool(settings);
  }

  private void when(String verb, String reaction) {
    server.script = step -> step.is(verb) ? reaction : null;
  }

  /** Every row of the fault table: with PIPELINING and without. */
  @ParameterizedTest(name = "{0} {1} -> {2} {3} pipelining={4}")
  @CsvSource({
    "CONNECT, 421 4.3.2 busy!then-drop, TEMPORARY, CONNECT, true",
    "CONNECT, 451 4.3.2 busy, TEMPORARY, CONNECT, true",
    "CONNECT, 554 5.3.2 no, ACCOUNT, CONNECT, true",
    "CONNECT, !drop, UNREACHABLE, CONNECT, true",
    "CONNECT, !hang, UNREACHABLE, CONNECT, true",
    "CONNECT, !trickle, UNREACHABLE, CONNECT, true",
    "CONNECT, !endless, UNREACHABLE, CONNECT, true",
    "CONNECT, nonsense, UNREACHABLE, CONNECT, true",
    "EHLO, !hang, UNREACHABLE, SESSION, true",
    "EHLO, !drop, UNREACHABLE, SESSION, true",
    "EHLO, !endless, UNREACHABLE, SESSION, true",
    "EHLO, 421 4.3.2 bye!then-drop, TEMPORARY, SESSION, true",
    "MAIL, 451 4.3.0 later, TEMPORARY, MAIL, true",
    "MAIL, 451 4.3.0 later, TEMPORARY, MAIL, false",
    "MAIL, 554 5.1.8 sender, PERMANENT, MAIL, true",
    "MAIL, 554 5.1.8 sender, PERMANENT, MAIL, false",
    "MAIL, 552 5.3.4 too big, PERMANENT, MAIL, true",
    "MAIL, 530 5.7.0 log in first, ACCOUNT, MAIL, true",
    "MAIL, 421 4.3.2 bye!then-drop, TEMPORARY, MAIL, true",
    "MAIL, !drop, UNREACHABLE, MAIL, true",
    "MAIL, !hang, UNREACHABLE, MAIL, true",
    "MAIL, !trickle, UNREACHABLE, MAIL, false",
    "RCPT, 550 5.1.1 nobody, PERMANENT, RCPT, true",
    "RCPT, 550 5.1.1 nobody, PERMANENT, RCPT, false",
    "RCPT, 450 4.2.0 grey, TEMPORARY, RCPT, true",
    "RCPT, 421 4.3.2 bye!then-drop, TEMPORARY, RCPT, true",
    "RCPT, 552 5.5.3 Too many recipients, TEMPORARY, RCPT, true",
    "RCPT, 552 5.2.2 mailbox full, PERMANENT, RCPT, true",
    "RCPT, 452 4.5.3 too many recipients, TEMPORARY, RCPT, true",
    "RCPT, !drop, UNREACHABLE, RCPT, true",
    "RCPT, !hang, UNREACHABLE, RCPT, true",
    "DATA, 451 4.3.0 later, TEMPORARY, DATA, true",
    "DATA, 554 5.6.0 no, PERMANENT, DATA, true",
    "DATA, 554 5.6.0 no, PERMANENT, DATA, false",
    "DATA, 250 what, UNREACHABLE, DATA, true",
    "DATA, !drop, UNREACHABLE, DATA, true",
    "DATA, !hang, UNREACHABLE, DATA, true",
    "., !drop, UNCERTAIN, DOT, true",
    "., !reset, UNCERTAIN, DOT, true",
    "., !hang, UNCERTAIN, DOT, true",
    "., !trickle, UNCERTAIN, DOT, true",
    "., garbage, UNCERTAIN, DOT, true",
    "., 354 what, UNCERTAIN, DONE, true",
    "., 421 4.3.2 bye!then-drop, TEMPORARY, DONE, true",
    "., 451 4.3.0 later, TEMPORARY, DONE, true",
    "., 552 5.3.4 too big, PERMANENT, DONE, true",
    "., 554 5.7.1 spam, PERMANENT, DONE, false",
    "QUIT, !hang, ACCEPTED, DONE, true",
  })
  void aFaultHasOneMeaning(
      String verb, String reaction, Kind kind, Phase phase, boolean pipelining) {
    when(verb, reaction);
    server.offers = pipelining ? List.of("PIPELINING") : List.of();
    if (verb.equals("QUIT")) {
      account = Mails.limits(account, 300, 2, 1);
    }
    if (reaction.equals(HANG) || reaction.equals(TRICKLE)) {
      hurry(verb.equals(".") ? Mails.STEP : BRIEF, verb.equals(".") ? BRIEF : Mails.STEP);
    }
    long begin = System.nanoTime();
    Answer answer = send("b@y.test").get(0);
    assertThat(answer.kind()).as(answer.toString()).isEqualTo(kind);
    assertThat(answer.phase()).isEqualTo(phase);
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Mails.STEP);
    if (Character.isDigit(reaction.charAt(0)) && kind != Kind.UNREACHABLE) {
      assertThat(answer.code()).isEqualTo(Integer.parseInt(reaction.substring(0, 3)));
    }
    if (reaction.matches("\\d{3} [45]\\.\\d\\.\\d .*")) {
      assertThat(answer.enhanced()).isEqualTo(reaction.substring(4, 9));
    }
  }

  @Test
  void ehloAndHeloRefusedIsTheAccountsTrouble() {
    server.script = step -> step.verb().endsWith("LO") ? "554 5.7.1 no" : null;
    Answer answer = send("b@y.test").get(0);
    assertThat(answer.kind()).as(answer.toString()).isEqualTo(Kind.ACCOUNT);
  }

  @Test
  void aServerThatKnowsHeloOnlyGetsTheMail() {
    when("EHLO", "502 5.5.1 what");
    assertThat(send("b@y.test").get(0).kind()).isEqualTo(Kind.ACCEPTED);
  }

  @Test
  void refusedConnectionIsUnreachable() throws Exception {
    account = Mails.account(TestPorts.next());
    Answer answer = send("b@y.test").get(0);
    assertThat(answer.kind()).isEqualTo(Kind.UNREACHABLE);
    assertThat(answer.phase()).isEqualTo(Phase.CONNECT);
    assertThat(answer.text()).contains("refused");
    assertThat(pool.failed()).isEqualTo(1);
    assertThat(pool.opened()).isZero();
  }

  @Test
  void unknownHostIsUnreachable() {
    account = Mails.at(account, "no-such-host.invalid", null);
    assertThat(send("b@y.test").get(0).kind()).isEqualTo(Kind.UNREACHABLE);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void partialRefusal(boolean pipelining) {
    server.offers = pipelining ? List.of("PIPELINING") : List.of();
    List<Answer> answers = send("ok@y.test", "550.5.1.1+x@y.test", "450.4.2.0+x@y.test");
    assertThat(answers)
        .extracting(Answer::kind)
        .containsExactly(Kind.ACCEPTED, Kind.PERMANENT, Kind.TEMPORARY);
    assertThat(answers).extracting(Answer::code).containsExactly(250, 550, 450);
    assertThat(answers).extracting(a -> a.recipient().position()).containsExactly(0, 1, 2);
    assertThat(answers.get(0).text()).startsWith("2.0.0 queued");
    assertThat(server.mails)
        .singleElement()
        .satisfies(m -> assertThat(m.to()).containsExactly("ok@y.test"));
  }

  @Test
  void aBreakAfterTheDotLeavesRefusedRecipientsCertain() {
    when(".", DROP);
    List<Answer> answers = send("ok@y.test", "450@y.test", "550@y.test");
    assertThat(answers)
        .extracting(Answer::kind)
        .containsExactly(Kind.UNCERTAIN, Kind.TEMPORARY, Kind.PERMANENT);
    assertThat(answers)
        .extracting(Answer::phase)
        .containsExactly(Phase.DOT, Phase.RCPT, Phase.RCPT);
  }

  @Test
  void a421AtTheSecondRecipientIsForAllThatAreNotRefused() {
    server.script = step -> step.line().contains("<second@") ? "421 4.3.2 bye" + THEN_DROP : null;
    List<Answer> answers = send("550@y.test", "first@y.test", "second@y.test", "third@y.test");
    assertThat(answers)
        .extracting(Answer::kind)
        .containsExactly(Kind.PERMANENT, Kind.TEMPORARY, Kind.TEMPORARY, Kind.TEMPORARY);
    assertThat(pool.active()).isZero();
  }

  @Test
  void greylistedFirstAcceptedLater() {
    assertThat(send("grey1+a@y.test").get(0).kind()).isEqualTo(Kind.TEMPORARY);
    assertThat(send("grey1+a@y.test").get(0).kind()).isEqualTo(Kind.ACCEPTED);
    assertThat(server.mails).hasSize(1);
    assertThat(server.connections).hasValue(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void allRefusedKeepsTheConnection(boolean pipelining) {
    server.offers = pipelining ? List.of("PIPELINING") : List.of();
    AtomicInteger gate = new AtomicInteger();
    OutgoingMail mail =
        Mails.mail(
            account, Mails.SMALL, () -> gate.incrementAndGet() > 0, "550@y.test", "450@y.test");
    assertThat(Mails.send(pool, mail))
        .extracting(Answer::kind)
        .containsExactly(Kind.PERMANENT, Kind.TEMPORARY);
    assertThat(gate).hasValue(0);
    assertThat(server.mails).isEmpty();
    assertThat(server.count("DATA")).isEqualTo(pipelining ? 1 : 0);
    assertThat(server.count("RSET")).isEqualTo(1);
    assertThat(send("ok@y.test").get(0).kind()).isEqualTo(Kind.ACCEPTED);
    assertThat(server.connections).hasValue(1);
  }

  @Test
  void allRefusedBut354GetsALoneDot() {
    server.script = step -> step.is("DATA") && step.mails() == 0 ? "354 go" : null;
    AtomicInteger gate = new AtomicInteger();
    OutgoingMail mail =
        Mails.mail(account, Mails.SMALL, () -> gate.incrementAndGet() > 0, "550@y.test");
    assertThat(Mails.send(pool, mail)).extracting(Answer::kind).containsExactly(Kind.PERMANENT);
    assertThat(gate).hasValue(0);
    assertThat(server.mails).singleElement().satisfies(m -> assertThat(m.raw()).isEmpty());
    assertThat(send("ok@y.test").get(0).kind()).isEqualTo(Kind.ACCEPTED);
    assertThat(server.connections).hasValue(1);
  }

  @Test
  void knownLimitRefusesBeforeSending() {
    server.offers = List.of("SIZE 20");
    Answer answer = send("b@y.test").get(0);
    assertThat(answer.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(answer.text()).startsWith("message_too_large");
    assertThat(answer.enhanced()).isEqualTo("5.3.4");
    assertThat(answer.code()).isZero();
    assertThat(server.count("MAIL")).isZero();
  }

  @Test
  void aRefusalInTheMiddleOfTheBodyIsHeard() {
    server.offers = List.of("PIPELINING");
    when("DATA", "354 go\r\n552 5.3.4 too big" + THEN_DROP);
    String big = Mails.SMALL + "x".repeat(998).concat("\r\n").repeat(20_000);
    Answer answer = Mails.send(pool, Mails.mail(account, big, DataGate.OPEN, "b@y.test")).get(0);
    assertThat(answer.kind()).isIn(Kind.PERMANENT, Kind.UNREACHABLE);
    assertThat(answer.phase()).isEqualTo(Phase.BODY);
  }

  @Test
  void aBodyThatIsNotReadEndsAtTheDeadlineAndIsNotUncertain() {
    try (NeverReading relay = new NeverReading()) {
      settings(Mails.patientBut(Mails.STEP, Mails.STEP, DEADLINE));
      account = Mails.account(relay.port());
      String big = Mails.SMALL + "x".repeat(998).concat("\r\n").repeat(20_000);
      long begin = System.nanoTime();
      Answer answer = Mails.send(pool, Mails.mail(account, big, DataGate.OPEN, "b@y.test")).get(0);
      assertThat(answer.kind()).isEqualTo(Kind.UNREACHABLE);
      assertThat(answer.phase()).isEqualTo(Phase.BODY);
      assertThat(answer.text()).contains("time-out");
      assertThat(Duration.ofNanos(System.nanoTime() - begin))
          .isBetween(Duration.ofSeconds(1), Mails.STEP);
    }
  }

  @Test
  void manySlowRepliesEndAtTheMessagesDeadline() {
    settings(Mails.patientBut(Mails.STEP, Mails.STEP, DEADLINE));
    server.offers = List.of();
    server.script = step -> step.is("RCPT") ? slowly("250 ok") : null;
    String[] to = new String[100];
    for (int i = 0; i < to.length; i++) {
      to[i] = "r" + i + "@y.test";
    }
    long begin = System.nanoTime();
    assertThat(send(to)).allMatch(a -> a.kind() == Kind.UNREACHABLE);
    assertThat(Duration.ofNanos(System.nanoTime() - begin))
        .isBetween(Duration.ofMillis(1300), Mails.STEP);
  }

  private static String slowly(String reply) {
    java.util.concurrent.locks.LockSupport.parkNanos(200_000_000);
    return reply;
  }

  @ParameterizedTest
  @CsvSource({"RCPT, UNREACHABLE", "., ACCEPTED"})
  void anEndlessReplyEndsTheConnection(String verb, Kind kind) {
    when(verb, ENDLESS);
    Answer answer = send("b@y.test").get(0);
    assertThat(answer.kind()).isEqualTo(kind);
    assertThat(answer.text().length()).isLessThanOrEqualTo(1024);
    assertThat(pool.active()).isZero();
  }

  @Test
  void aMegabyteOfWordsIsCutAndControlBytesAreEscaped() {
    when("RCPT", "550 5.1.1 \u001b[31mred\u0007 " + "x".repeat(1_000_000));
    Answer answer = send("b@y.test").get(0);
    assertThat(answer.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(answer.text()).hasSize(1024).startsWith("5.1.1 \\x1b[31mred\\x07 xxx");
    assertThat(pool.active()).isZero();
  }

  @Test
  void manyLinesAreOneText() {
    when("RCPT", "550-5.1.1 no\r\n550-5.1.1 such\r\n550 5.1.1 user");
    Answer answer = send("b@y.test").get(0);
    assertThat(answer.text()).isEqualTo("5.1.1 no 5.1.1 such 5.1.1 user");
    assertThat(answer.enhanced()).isEqualTo("5.1.1");
    assertThat(answer.said()).isEqualTo("550 5.1.1 no 5.1.1 such 5.1.1 user");
  }

  @Test
  void theGateIsAskedOnceAfter354AndBeforeTheBody() {
    AtomicInteger asked = new AtomicInteger();
    OutgoingMail mail =
        Mails.mail(
            account,
            Mails.SMALL,
            () -> {
              assertThat(server.lines).endsWith("DATA");
              assertThat(server.mails).isEmpty();
              return asked.incrementAndGet() == 1;
            },
            "a@y.test",
            "b@y.test");
    assertThat(Mails.send(pool, mail)).allMatch(a -> a.kind() == Kind.ACCEPTED);
    assertThat(asked).hasValue(1);
    assertThat(mail.phase()).isEqualTo(Phase.DONE);
  }

  @Test
  void aShutGateLetsNothingOut() {
    OutgoingMail shut = Mails.mail(account, Mails.SMALL, () -> false, "a@y.test");
    assertThatThrownBy(() -> pool.send(shut)).isInstanceOf(LeaseLostException.class);
    OutgoingMail broken =
        Mails.mail(
            account,
            Mails.SMALL,
            () -> {
              throw new IllegalStateException("store is down");
            },
            "a@y.test");
    assertThatThrownBy(() -> pool.send(broken))
        .isInstanceOf(LeaseLostException.class)
        .hasRootCauseMessage("store is down");
    assertThat(server.mails).isEmpty();
    assertThat(pool.active()).isZero();
    assertThat(shut.answers()).isEmpty();
  }

  @Test
  void aResetAtMailOnANewConnectionIsUnreachable() {
    when("MAIL", RESET);
    assertThat(send("b@y.test").get(0).kind()).isEqualTo(Kind.UNREACHABLE);
  }

  @Test
  void aTrickledReplyEndsAtItsTimeOut() {
    hurry(Mails.STEP, BRIEF);
    when(".", TRICKLE);
    assertThat(send("b@y.test").get(0).text()).contains("time-out");
  }
}
