package io.caravan.mailproxy.delivery;

import static io.caravan.mailproxy.delivery.ScriptedSmtpServer.DROP;
import static io.caravan.mailproxy.delivery.ScriptedSmtpServer.RESET;
import static io.caravan.mailproxy.delivery.ScriptedSmtpServer.THEN_DROP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.internet.MimeMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections: kept, bounded, renewed (F18, F31, F32); and what stands on the wire. */
class SmtpPoolTest {
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

  private Kind send(String... to) {
    return Mails.send(pool, Mails.mail(account, to)).get(0).kind();
  }

  @Test
  void theWireSaysExactlyTheEnvelopeAndTheBytes() throws Exception {
    pool.send(Mails.mail(account, "b@y.test", "c@y.test"));
    assertThat(server.lines)
        .containsExactly(
            "EHLO test.example",
            "MAIL FROM:<a@x.test> SIZE=" + Mails.SMALL.length(),
            "RCPT TO:<b@y.test>",
            "RCPT TO:<c@y.test>",
            "DATA");
    assertThat(server.mails)
        .singleElement()
        .satisfies(m -> assertThat(m.raw()).isEqualTo(Mails.SMALL));
  }

  @Test
  void theNullReturnPathAnd8BitAreSaid() throws Exception {
    String mail = "Subject: x\r\n\r\nGr\u00fc\u00dfe\r\n";
    pool.send(Mails.from("", account, mail, DataGate.OPEN, "b@y.test"));
    assertThat(server.mails.get(0).mailLine())
        .isEqualTo("MAIL FROM:<> SIZE=" + mail.length() + " BODY=8BITMIME");
    assertThat(server.mails.get(0).raw()).isEqualTo(mail);
  }

  @Test
  void otherBodiesAreRefused() {
    assertThatThrownBy(() -> pool.send(new MimeMessage((Session) null)))
        .isInstanceOf(MessagingException.class)
        .hasMessageContaining("OutgoingMail");
  }

  @Test
  void oneConnectionCarriesManyMails() {
    for (int i = 0; i < 20; i++) {
      assertThat(send("b@y.test")).isEqualTo(Kind.ACCEPTED);
    }
    assertThat(server.connections).hasValue(1);
    assertThat(pool.opened()).isEqualTo(1);
    assertThat(pool.reused()).isEqualTo(19);
    assertThat(pool.active()).isEqualTo(1);
    assertThat(pool.bySource()).containsOnlyKeys("default");
  }

  @Test
  void noMoreConnectionsThanTheAccountAllows() throws Exception {
    ExecutorService senders = Executors.newFixedThreadPool(8);
    try {
      List<Future<Kind>> results = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        results.add(senders.submit(() -> send("b@y.test")));
      }
      for (Future<Kind> result : results) {
        assertThat(result.get(30, TimeUnit.SECONDS)).isEqualTo(Kind.ACCEPTED);
      }
    } finally {
      senders.shutdownNow();
    }
    assertThat(server.mostOpen).hasValue(2);
    assertThat(server.mails).hasSize(200);
  }

  @Test
  void waitingForAConnectionHasABound() {
    pool.close();
    pool = new SmtpPool(waiting(Duration.ofMinutes(1), Duration.ofMillis(400)));
    account = Mails.limits(account, 300, 1, 0);
    CountDownLatch inGate = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    OutgoingMail first =
        Mails.mail(
            account,
            Mails.SMALL,
            () -> {
              inGate.countDown();
              return go.await(20, TimeUnit.SECONDS);
            },
            "b@y.test");
    CompletableFuture<List<Answer>> sent =
        CompletableFuture.supplyAsync(() -> Mails.send(pool, first));
    await().until(() -> inGate.getCount() == 0);
    Answer second = Mails.send(pool, Mails.mail(account, "c@y.test")).get(0);
    assertThat(second.kind()).isEqualTo(Kind.TEMPORARY);
    assertThat(second.text()).startsWith("connections_busy");
    go.countDown();
    assertThat(sent.join()).allMatch(a -> a.kind() == Kind.ACCEPTED);
  }

  private static SmtpSettings waiting(Duration idle, Duration forOne) {
    Duration step = Mails.STEP;
    return new SmtpSettings(step, step, step, Duration.ofSeconds(30), idle, forOne, "");
  }

  @Test
  void aNewRevisionOpensANewConnection() {
    send("b@y.test");
    account = Mails.account(server.port(), null, null, null, null, 2);
    send("b@y.test");
    assertThat(server.connections).hasValue(2);
    await().untilAsserted(() -> assertThat(server.open).hasValue(1));
    assertThat(pool.closed()).isEqualTo(1);
  }

  @Test
  void aConnectionOfALaterRevisionIsLeftAlone() {
    Account old = Mails.limits(account, 300, 5, 0);
    Account later =
        Mails.limits(Mails.account(server.port(), null, null, null, null, 2), 300, 5, 0);
    Mails.send(pool, Mails.mail(later, "b@y.test"));
    Mails.send(pool, Mails.mail(old, "b@y.test"));
    Mails.send(pool, Mails.mail(later, "b@y.test"));
    assertThat(server.connections).hasValue(2);
  }

  @Test
  void aConnectionEndsAfterItsMessages() {
    account = Mails.limits(account, 300, 2, 3);
    for (int i = 0; i < 7; i++) {
      send("b@y.test");
    }
    assertThat(server.connections).hasValue(3);
    await().untilAsserted(() -> assertThat(server.count("QUIT")).isEqualTo(2));
  }

  @Test
  void howManyMailsARelayTakesOnAConnectionIsLearned() throws Exception {
    server.script =
        step ->
            step.is("MAIL") && step.mails() == 5 ? "421 4.7.0 too many messages" + THEN_DROP : null;
    for (int i = 0; i < 21; i++) {
      OutgoingMail mail = Mails.mail(account, "b@y.test");
      try {
        pool.send(mail);
      } catch (StaleConnectionException e) {
        assertThat(i).as("told once, with the sixth mail").isEqualTo(5);
        pool.send(mail);
      }
    }
    assertThat(server.mails).hasSize(21);
    assertThat(server.connections).hasValue(5);
  }

  @Test
  void aRelayThatTakesFewerConnectionsIsSentTheMailOverThose() throws Exception {
    account = Mails.limits(account, 300, 6, 0);
    server.script =
        step ->
            step.is("CONNECT") && server.open.get() > 2
                ? "421 4.3.2 too many connections" + THEN_DROP
                : null;
    ExecutorService senders = Executors.newFixedThreadPool(6);
    try {
      List<Future<Kind>> results = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        results.add(senders.submit(() -> send("b@y.test")));
      }
      List<Kind> kinds = new ArrayList<>();
      for (Future<Kind> result : results) {
        kinds.add(result.get(30, TimeUnit.SECONDS));
      }
      assertThat(kinds.stream().filter(kind -> kind == Kind.ACCEPTED).count())
          .as("who meets open connections waits for one of them: %s", kinds)
          .isGreaterThanOrEqualTo(80);
    } finally {
      senders.shutdownNow();
    }
    assertThat(pool.failed()).as("no connection is asked for in vain again").isBetween(1L, 12L);
  }

  @Test
  void aConnectionEndsByAge() {
    account = Mails.limits(account, 1, 2, 0);
    send("b@y.test");
    await().until(() -> pool.active() == 0);
    send("b@y.test");
    assertThat(server.connections).hasValue(2);
  }

  @Test
  void anUnusedConnectionIsClosed() throws Exception {
    try (SmtpPool brief = new SmtpPool(waiting(Duration.ofMillis(300), Mails.STEP))) {
      brief.send(Mails.mail(account, "b@y.test"));
      await().untilAsserted(() -> assertThat(server.count("QUIT")).isEqualTo(1));
      await().untilAsserted(() -> assertThat(brief.active()).isZero());
      await().untilAsserted(() -> assertThat(brief.secondsSinceRound()).isLessThan(2));
    }
  }

  @Test
  void aConnectionThatDiedWhileUnusedIsFoundBeforeItIsUsed() {
    send("b@y.test");
    server.dropAll();
    await().until(() -> server.open.get() == 0);
    await().pollDelay(Duration.ofMillis(250)).until(() -> true);
    assertThat(send("b@y.test")).isEqualTo(Kind.ACCEPTED);
    assertThat(pool.opened()).isEqualTo(2);
  }

  @Test
  void aLivingConnectionIsUsedAgainAfterAPause() {
    send("b@y.test");
    await().pollDelay(Duration.ofMillis(400)).until(() -> true);
    assertThat(send("b@y.test")).isEqualTo(Kind.ACCEPTED);
    assertThat(server.connections).hasValue(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {DROP, RESET, "421 4.3.2 enough" + THEN_DROP})
  void aStaleConnectionIsToldAndTheSecondTryGoesThrough(String reaction) throws Exception {
    server.script = step -> step.is("MAIL") && step.mails() == 2 ? reaction : null;
    send("b@y.test");
    send("b@y.test");
    OutgoingMail third = Mails.mail(account, "b@y.test");
    assertThatThrownBy(() -> pool.send(third)).isInstanceOf(StaleConnectionException.class);
    assertThat(third.answers()).isEmpty();
    pool.send(third);
    assertThat(third.answers()).extracting(Answer::kind).containsExactly(Kind.ACCEPTED);
    assertThat(server.connections).hasValue(2);
    assertThat(server.mails).hasSize(3);
  }

  @Test
  void afterAStaleConnectionTheNextOneIsNewEvenIfOthersAreKept() throws Exception {
    // two kept connections, both dropped by the relay at the next mail
    CountDownLatch both = new CountDownLatch(2);
    DataGate together =
        () -> {
          both.countDown();
          return both.await(20, TimeUnit.SECONDS);
        };
    CompletableFuture<?>[] two = new CompletableFuture<?>[2];
    for (int i = 0; i < 2; i++) {
      OutgoingMail mail = Mails.mail(account, Mails.SMALL, together, "b@y.test");
      two[i] = CompletableFuture.runAsync(() -> Mails.send(pool, mail));
    }
    CompletableFuture.allOf(two).join();
    server.script = step -> step.is("MAIL") && step.mails() == 1 ? DROP : null;
    OutgoingMail mail = Mails.mail(account, "b@y.test");
    assertThatThrownBy(() -> pool.send(mail)).isInstanceOf(StaleConnectionException.class);
    pool.send(mail);
    assertThat(mail.answers()).extracting(Answer::kind).containsExactly(Kind.ACCEPTED);
  }

  @Test
  void aBreakLaterThanMailIsNoStaleConnection() {
    send("b@y.test");
    server.script = step -> step.is("DATA") ? DROP : null;
    Answer answer = Mails.send(pool, Mails.mail(account, "b@y.test")).get(0);
    assertThat(answer.kind()).isEqualTo(Kind.UNREACHABLE);
    assertThat(answer.phase()).isEqualTo(Phase.DATA);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "v@y.test> SIZE=1",
        "v@y.test ORCPT=rfc822;x",
        "v@y.test\r\nDATA",
        "\"v\r\nRCPT TO:<e@y>\"@y.test",
        "v\n@y.test",
        "v\u0000@y.test",
        "v\u0085@y.test",
        "v\u00a0w@y.test",
        "v<w@y.test",
        "v\ud800@y.test",
        "no-at",
        "@y.test",
        "v@"
      })
  void whatCouldLeaveTheBracketsIsNeverSaid(String address) {
    List<Answer> answers = Mails.send(pool, Mails.mail(account, address, "ok@y.test"));
    assertThat(answers).extracting(Answer::kind).containsExactly(Kind.PERMANENT, Kind.ACCEPTED);
    assertThat(answers.get(0).text()).startsWith("recipient_invalid");
    assertThat(server.count("RCPT")).isEqualTo(1);
    OutgoingMail from = Mails.from(address, account, Mails.SMALL, DataGate.OPEN, "ok@y.test");
    assertThat(Mails.send(pool, from).get(0).text()).startsWith("sender_invalid");
    assertThat(server.count("MAIL")).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"v\u00f6l@x.test", "v\u760d\u760aDATA@y.test", "v@b\u00fccher.test"})
  void nonAsciiNeedsSmtpUtf8(String address) {
    List<Answer> answers = Mails.send(pool, Mails.mail(account, address, "ok@y.test"));
    assertThat(answers).extracting(Answer::kind).containsExactly(Kind.PERMANENT, Kind.ACCEPTED);
    assertThat(answers.get(0).text()).isEqualTo("smtputf8_unsupported");
    OutgoingMail from = Mails.from(address, account, Mails.SMALL, DataGate.OPEN, "ok@y.test");
    assertThat(Mails.send(pool, from).get(0).text()).isEqualTo("smtputf8_unsupported");
    assertThat(server.lines).allMatch(WireAddress::ascii);

    server.offers = List.of("PIPELINING", "SMTPUTF8");
    account = Mails.account(server.port(), null, null, null, null, 2);
    assertThat(send(address)).isEqualTo(Kind.ACCEPTED);
    assertThat(server.lines).contains("RCPT TO:<" + address + ">");
    assertThat(server.lines).contains("MAIL FROM:<a@x.test> SMTPUTF8");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hi\n.\nMAIL FROM:<e@x>\n",
        "hi\r.\rMAIL FROM:<e@x>\r",
        "hi\r\n.\r\nMAIL FROM:<e@x>\r\n",
        "hi\n.\r\nMAIL FROM:<e@x>",
        "hi\r\n.\rMAIL FROM:<e@x>",
        "hi\r\n.\nMAIL FROM:<e@x>",
        ".\r\n",
        ".",
        "",
        "\r",
        "\n",
        "..\r\n...\r\n",
        "no end"
      })
  void nothingInAMailEndsItEarly(String body) throws Exception {
    String mail = "Subject: x\r\n\r\n" + body;
    pool.send(Mails.mail(account, mail, DataGate.OPEN, "b@y.test"));
    assertThat(server.mails).hasSize(1);
    assertThat(server.count("MAIL")).isEqualTo(1);
    String lines = mail.replace("\r\n", "\n").replace('\r', '\n');
    String expected = (lines.endsWith("\n") ? lines : lines + "\n").replace("\n", "\r\n");
    assertThat(server.mails.get(0).content()).isEqualTo(expected);
    assertThat(server.mails.get(0).raw()).doesNotContain("\r\n.\r\n");
    assertThat(send("b@y.test")).isEqualTo(Kind.ACCEPTED);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 32_763, 32_764, 32_765, 32_766, 32_768, 65_536, 900_000})
  void anySizeArrivesWhole(int size) throws Exception {
    String mail = "Subject: x\r\n\r\n" + "x".repeat(Math.max(0, size - 16)) + "\r\n";
    pool.send(Mails.mail(account, mail, DataGate.OPEN, "b@y.test"));
    assertThat(server.mails.get(0).raw()).isEqualTo(mail);
  }

  @ParameterizedTest
  @ValueSource(ints = {1000, 1001})
  void manyRecipients(int count) {
    String[] to = new String[count];
    for (int i = 0; i < count; i++) {
      to[i] = "r" + i + "@y.test";
    }
    List<Answer> answers = Mails.send(pool, Mails.mail(account, to));
    assertThat(answers).hasSize(count).allMatch(a -> a.kind() == Kind.ACCEPTED);
    assertThat(server.mails.get(0).to()).hasSize(count);
  }

  @Test
  void theLocalAddressIsUsedAndCounted() throws Exception {
    account = Mails.at(account, "localhost", "127.0.0.1");
    try (SmtpPool named = new SmtpPool(SmtpSettings.of(2, 300, 2, 5, 2000))) {
      named.send(Mails.mail(account, "b@y.test"));
      assertThat(named.bySource().get("127.0.0.1").opened()).isEqualTo(1);
    }
    assertThat(server.lines.get(0)).isEqualTo("EHLO [127.0.0.1]");
  }

  @Test
  void aClosedPoolTakesNothing() {
    send("b@y.test");
    pool.close();
    assertThat(pool.active()).isZero();
    assertThat(send("b@y.test")).isEqualTo(Kind.UNREACHABLE);
  }

  @Test
  void forgettingAnAccountClosesItsConnections() {
    send("b@y.test");
    pool.forget(account.pk());
    assertThat(pool.active()).isZero();
  }
}
