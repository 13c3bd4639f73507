package io.caravan.mailproxy.delivery;

import static io.caravan.mailproxy.delivery.ScriptedSmtpServer.DROP;
import static io.caravan.mailproxy.delivery.ScriptedSmtpServer.THEN_DROP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.net.AddressGuard;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Straight to the servers that a domain names: RFC 5321 section 5, RFC 7505. */
class MxDeliveryTest {
  private static final Duration STEP = Duration.ofSeconds(5);
  private static final SmtpSettings PATIENT =
      new SmtpSettings(STEP, STEP, STEP, Duration.ofSeconds(20), STEP, STEP, "test.example");

  private ScriptedDns dns;
  private SmtpPool pool;
  private ScriptedSmtpServer first;
  private ScriptedSmtpServer second;

  @BeforeEach
  void start() throws Exception {
    first = new ScriptedSmtpServer("good.p12", false, InetAddress.getByName("127.0.0.2"), 0);
    second = new ScriptedSmtpServer(null, false, InetAddress.getByName("127.0.0.3"), first.port());
    dns =
        new ScriptedDns()
            .a("one.test", "127.0.0.2")
            .a("two.test", "127.0.0.3")
            .a("nobody.test", "127.0.0.4")
            .mx("y.test", 10, "one.test")
            .mx("y.test", 20, "two.test");
    pool = new SmtpPool(PATIENT, new MxResolver(dns.address()), new AddressGuard("127.0.0.0/8"));
  }

  @AfterEach
  void stop() throws Exception {
    pool.close();
    dns.close();
    first.close();
    second.close();
  }

  private List<Answer> send(Boolean useTls, String... to) {
    return Mails.send(pool, Mails.mail(Mails.direct(first.port(), useTls), to));
  }

  private Answer send(String to) {
    return send(null, to).get(0);
  }

  @Test
  void theMostPreferredServerGetsTheMailOverOneConnection() {
    for (int i = 0; i < 3; i++) {
      assertThat(send("b@y.test").kind()).isEqualTo(Kind.ACCEPTED);
    }
    assertThat(first.mails).hasSize(3);
    assertThat(first.connections).hasValue(1);
    assertThat(second.connections).hasValue(0);
    assertThat(dns.asked).as("asked once, then known").hasValueLessThanOrEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {DROP, "421 4.3.2 busy" + THEN_DROP, "554 5.7.1 blocked", "closed"})
  void theNextServerTakesItWhereTheFirstRefuses(String reaction) throws Exception {
    if (reaction.equals("closed")) {
      first.close();
    }
    first.script = step -> step.is("CONNECT") ? reaction : null;
    assertThat(send("b@y.test").kind()).isEqualTo(Kind.ACCEPTED);
    assertThat(second.mails).hasSize(1);
  }

  @Test
  void anAnswerToTheMailIsTheAnswer() {
    assertThat(send("550@y.test").kind()).isEqualTo(Kind.PERMANENT);
    assertThat(second.connections).hasValue(0);
  }

  @Test
  void equalsTakeTurnsAtRandom() {
    dns.mx("even.test", 10, "one.test").mx("even.test", 10, "two.test");
    for (int i = 0; i < 40; i++) {
      assertThat(send("b@even.test").kind()).isEqualTo(Kind.ACCEPTED);
    }
    assertThat(first.mails).isNotEmpty();
    assertThat(second.mails).isNotEmpty();
    assertThat(first.mails.size() + second.mails.size()).isEqualTo(40);
  }

  @Test
  void aDomainWithoutMxIsItsOwnServer() {
    assertThat(send("b@two.test").kind()).isEqualTo(Kind.ACCEPTED);
    assertThat(second.mails).hasSize(1);
  }

  @Test
  void whereDnsDoesNotAnswerAtOnceItIsAskedAgain() {
    dns.mx("lost.test", 10, "two.test");
    assertThat(send("b@lost.test").kind()).isEqualTo(Kind.ACCEPTED);
  }

  @ParameterizedTest
  @CsvSource({
    "null.test, PERMANENT, 5.1.10",
    "unknown.test, PERMANENT, 5.1.2",
    "empty.test, PERMANENT, 5.4.4",
    "fail.test, TEMPORARY, 4.4.3",
    "away.test, UNREACHABLE,",
    "nowhere.test, UNREACHABLE,",
  })
  void whatDnsSaysDecides(String domain, Kind kind, String enhanced) {
    dns.mx("null.test", 0, ".")
        .nothing("empty.test")
        .mx("away.test", 10, "nobody.test")
        .mx("nowhere.test", 10, "unknown.test");
    Answer answer = send("b@" + domain);
    assertThat(answer.kind()).as(answer.toString()).isEqualTo(kind);
    assertThat(answer.enhanced()).isEqualTo(enhanced);
    assertThat(first.connections.get() + second.connections.get()).isZero();
  }

  @Test
  void recipientsOfAnotherDomainAreLeftForLater() {
    assertThat(send(null, "b@y.test", "c@two.test", "d@Y.TEST"))
        .extracting(Answer::kind)
        .containsExactly(Kind.ACCEPTED, Kind.TEMPORARY, Kind.ACCEPTED);
    assertThat(first.mails.get(0).to()).containsExactly("b@y.test", "d@Y.TEST");
  }

  @Test
  void tlsIsTakenWhereItIsOfferedWhoeverTheServerIs() {
    first.offers = List.of("PIPELINING", "STARTTLS");
    assertThat(send("b@y.test").kind()).isEqualTo(Kind.ACCEPTED);
    assertThat(first.lines).startsWith("EHLO test.example", "STARTTLS", "EHLO test.example");
    assertThat(first.connections).hasValue(1);
  }

  @ParameterizedTest
  @CsvSource({"TLS, !drop", "STARTTLS, 454 4.7.0 not now"})
  void brokenTlsDoesNotKeepTheMailBack(String verb, String reaction) {
    first.offers = List.of("PIPELINING", "STARTTLS");
    first.script = step -> step.is(verb) ? reaction : null;
    assertThat(send("b@y.test").kind()).isEqualTo(Kind.ACCEPTED);
    assertThat(first.connections).hasValue(2);
    assertThat(second.connections).hasValue(0);
  }

  @Test
  void requiredTlsIsCheckedAndNeverLeftOut() {
    first.offers = List.of("PIPELINING", "STARTTLS");
    Answer answer = send(true, "b@y.test").get(0);
    assertThat(answer.kind()).isEqualTo(Kind.ACCOUNT);
    assertThat(first.count("MAIL") + second.count("MAIL")).isZero();
    assertThat(second.connections).as("the second server was asked too").hasValue(1);
  }

  @Test
  void tlsCanBeSwitchedOff() {
    first.offers = List.of("PIPELINING", "STARTTLS");
    assertThat(send(false, "b@y.test").get(0).kind()).isEqualTo(Kind.ACCEPTED);
    assertThat(first.count("STARTTLS")).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ns.example", "10.0.0.1:x", "10.0.0.1:99999", "10.0.0.1, dns"})
  void dnsServersAreAddresses(String servers) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MxResolver(servers))
        .withMessageStartingWith("smtp.dns-servers");
  }

  @Test
  void dnsServersMayHavePorts() {
    new MxResolver("10.0.0.1, 10.0.0.2:5353,[::1]:53,::1,[fe80::1]");
    assertThat(Mails.direct(25, null).tls()).isEqualTo(Account.Tls.OPPORTUNISTIC);
  }
}
