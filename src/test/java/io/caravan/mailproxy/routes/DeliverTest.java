package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.delivery.Attempt;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer.Mail;
import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.Exchange;
import org.apache.camel.MessageHistory;
import org.apache.camel.spi.CamelEvent;
import org.apache.camel.support.EventNotifierSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** routes/deliver.camel.yaml and hand-over.camel.yaml: from the queues to the relay and back. */
class DeliverTest {
  private static final int NOBODY_LISTENS = 1;

  @TempDir static Path home;
  private static TestProxy proxy;
  private static final Map<String, List<String>> STEPS = new ConcurrentHashMap<>();

  private ScriptedSmtpServer relay;

  @BeforeAll
  static void startProxy() {
    proxy =
        TestProxy.start(
            home,
            "retry.delays",
            "0",
            "retry.jitter",
            "0",
            "retry.max-attempts",
            "3",
            "camel.main.messageHistory",
            "true");
    proxy.proxy().context().getManagementStrategy().addEventNotifier(new Steps());
  }

  @AfterAll
  static void stopProxy() {
    proxy.close();
  }

  @BeforeEach
  void startRelay() throws Exception {
    relay = new ScriptedSmtpServer();
  }

  @AfterEach
  void stopRelay() throws Exception {
    relay.close();
  }

  @Test
  void one_attempt_is_one_exchange() {
    long before = proxy.exchanges("deliver-message");
    proxy.relayAccount("one", "a", relay.port());
    proxy.submit(
        List.of(
            message("one", "a", "good"),
            message("one", "a", "refused", "to", List.of("550@x.test")),
            message("one", "a", "grey", "to", List.of("grey2+a@x.test"))));

    awaitState("one", "good", "sent");
    awaitState("one", "refused", "error");
    awaitState("one", "grey", "sent");
    await()
        .untilAsserted(
            () -> assertThat(proxy.exchanges("deliver-message") - before).isEqualTo(1 + 1 + 3));
    assertThat(relay.count("MAIL")).isEqualTo(1 + 1 + 3);
    assertThat(History.types(proxy, "one", "grey")).containsExactly("deferred", "deferred", "sent");
  }

  @Test
  void a_second_attempt_sends_the_same_bytes() {
    AtomicBoolean first = new AtomicBoolean(true);
    relay.script = step -> step.is(".") && first.getAndSet(false) ? "451 4.3.0 not now" : null;
    proxy.relayAccount("same", "a", relay.port());
    proxy.submit(message("same", "a", "m", "subject", "Grüße", "body", "Zeile\n.Punkt\n"));

    awaitState("same", "m", "sent");
    assertThat(relay.mails).hasSize(2);
    assertThat(relay.mails.get(1).content())
        .contains("Message-ID: <")
        .isEqualTo(relay.mails.get(0).content());
    assertThat(History.types(proxy, "same", "m")).containsExactly("deferred", "sent");
  }

  @Test
  void B49_sql_in_a_string_is_text_in_the_store_and_on_the_wire() {
    String text = "'; drop table message;-- \\ %_";
    proxy.relayAccount("sql", text, relay.port());
    proxy.submit(message("sql", text, text, "subject", text, "body", text, "batch_code", text));

    awaitState("sql", text, "sent");
    assertThat(proxy.message("sql", text).at("/message/subject").asText()).isEqualTo(text);
    assertThat(relay.mails.get(0).content()).contains("Subject: " + text);
  }

  @Test
  void B19_a_domain_goes_out_as_its_a_label_and_is_shown_as_given() {
    proxy.relayAccount("idn", "a", relay.port());
    proxy.submit(message("idn", "a", "m", "to", List.of("v@bücher.test", "v@faß.test")));

    awaitState("idn", "m", "sent");
    assertThat(relay.mails.get(0).to())
        .containsExactly("v@xn--bcher-kva.test", "v@xn--fa-hia.test");
    assertThat(proxy.message("idn", "m").at("/message/to/0").asText()).isEqualTo("v@bücher.test");
    assertThat(History.recipients(proxy, "idn", "m"))
        .containsExactly("v@xn--bcher-kva.test sent 250", "v@xn--fa-hia.test sent 250");
  }

  @Test
  void B20_a_local_part_beyond_ascii_fails_alone_where_the_relay_has_no_smtputf8() {
    proxy.relayAccount("utf8", "a", relay.port());
    proxy.submit(message("utf8", "a", "m", "to", List.of("völ@x.test", "ok@x.test")));

    awaitState("utf8", "m", "error");
    assertThat(relay.mails).extracting(Mail::to).containsExactly(List.of("ok@x.test"));
    assertThat(History.recipients(proxy, "utf8", "m"))
        .containsExactly("völ@x.test failed 0", "ok@x.test sent 250");
    assertThat(proxy.message("utf8", "m").path("error").asText())
        .isEqualTo("völ@x.test: smtputf8_unsupported");

    relay.offers = List.of("PIPELINING", "8BITMIME", "SMTPUTF8");
    proxy.relayAccount("utf8", "b", relay.port());
    proxy.submit(message("utf8", "b", "again", "to", List.of("völ@x.test")));
    awaitState("utf8", "again", "sent");
    assertThat(relay.mails.get(1).to()).containsExactly("völ@x.test");
  }

  @Test
  void each_recipient_has_an_outcome_of_its_own() {
    proxy.relayAccount("mixed", "a", relay.port());
    proxy.submit(
        message(
            "mixed", "a", "m", "to", List.of("ok@x.test", "550.5.1.1+b@x.test", "grey1+c@x.test")));

    awaitState("mixed", "m", "error");
    assertThat(relay.mails)
        .extracting(Mail::to)
        .containsExactly(List.of("ok@x.test"), List.of("grey1+c@x.test"));
    assertThat(History.recipients(proxy, "mixed", "m"))
        .containsExactly(
            "ok@x.test sent 250", "550.5.1.1+b@x.test failed 550", "grey1+c@x.test sent 250");
    assertThat(proxy.message("mixed", "m").path("error").asText())
        .isEqualTo("550.5.1.1+b@x.test: 550 5.1.1 as asked");
    assertThat(History.types(proxy, "mixed", "m")).containsExactly("deferred", "error");
  }

  @Test
  void a_break_after_the_dot_is_uncertain_and_tried_again() {
    AtomicBoolean first = new AtomicBoolean(true);
    relay.script = step -> step.is(".") && first.getAndSet(false) ? ScriptedSmtpServer.DROP : null;
    proxy.relayAccount("dot", "a", relay.port());
    proxy.submit(message("dot", "a", "m"));

    awaitState("dot", "m", "sent");
    assertThat(History.types(proxy, "dot", "m")).containsExactly("uncertain", "deferred", "sent");
    assertThat(relay.mails).hasSize(2);
    assertThat(relay.mails.get(1).content()).isEqualTo(relay.mails.get(0).content());
  }

  @Test
  void a_break_before_the_dot_is_certain() {
    AtomicBoolean first = new AtomicBoolean(true);
    relay.script =
        step -> step.is("DATA") && first.getAndSet(false) ? ScriptedSmtpServer.DROP : null;
    proxy.relayAccount("data", "a", relay.port());
    proxy.submit(message("data", "a", "m"));

    awaitState("data", "m", "sent");
    assertThat(History.types(proxy, "data", "m")).containsExactly("deferred", "sent");
    assertThat(relay.mails).hasSize(1);
  }

  @Test
  void a_stale_connection_costs_no_attempt() {
    relay.script =
        step ->
            step.is("MAIL") && step.mails() == 1
                ? "421 4.3.2 going down" + ScriptedSmtpServer.THEN_DROP
                : null;
    proxy.relayAccount("stale", "a", relay.port());
    proxy.submit(message("stale", "a", "first"));
    awaitState("stale", "first", "sent");
    long before = proxy.exchanges("deliver-message");
    proxy.submit(message("stale", "a", "second"));

    awaitState("stale", "second", "sent");
    assertThat(History.types(proxy, "stale", "second")).containsExactly("sent");
    assertThat(History.attempts(proxy, "stale", "second")).containsExactly(1);
    assertThat(relay.connections).hasValue(2);
    assertThat(relay.mails).hasSize(2);
    await()
        .untilAsserted(() -> assertThat(proxy.exchanges("deliver-message") - before).isEqualTo(1));
  }

  @Test
  void only_an_account_with_a_rate_meets_the_throttle() {
    proxy.relayAccount("rate", "limited", relay.port(), "limit_per_second", 2);
    proxy.relayAccount("rate", "free", relay.port());
    for (int i = 0; i < 3; i++) {
      proxy.submit(message("rate", "limited", "limited-" + i));
      proxy.submit(message("rate", "free", "free-" + i));
    }

    for (int i = 0; i < 3; i++) {
      awaitState("rate", "limited-" + i, "sent");
      awaitState("rate", "free-" + i, "sent");
    }
    for (String id : List.of("limited-0", "limited-2")) {
      await().untilAsserted(() -> assertThat(STEPS.get(id)).contains("throttle", "hand-over-step"));
    }
    for (String id : List.of("free-0", "free-2")) {
      await()
          .untilAsserted(
              () ->
                  assertThat(STEPS.get(id)).contains("hand-over-step").doesNotContain("throttle"));
    }
  }

  @Test
  void mail_of_a_deleted_account_ends_with_an_error() {
    proxy.relayAccount("gone", "a", relay.port());
    long later = Instant.now().getEpochSecond() + 3600;
    proxy.submit(message("gone", "a", "m", "deferred_ts", later));
    try (LogLines log = new LogLines()) {
      assertThat(proxy.delete("/account/a?tenant_id=gone").statusCode()).isEqualTo(200);

      awaitState("gone", "m", "error");
      assertThat(proxy.message("gone", "m").path("error").asText())
          .contains("Account 'a' not found for tenant 'gone'");
      await()
          .untilAsserted(
              () ->
                  assertThat(log.lines())
                      .contains("ERROR SMTP error for m: Account 'a' not found for tenant 'gone'"));
    }
    assertThat(relay.connections).hasValue(0);
  }

  @Test
  void a_relay_that_does_not_answer_defers() {
    proxy.relayAccount("refused", "a", NOBODY_LISTENS);
    proxy.submit(message("refused", "a", "m"));

    awaitState("refused", "m", "error");
    assertThat(History.types(proxy, "refused", "m"))
        .containsExactly("deferred", "deferred", "error");
    assertThat(History.recipients(proxy, "refused", "m"))
        .containsExactly("reader@example.test failed 0");
  }

  private static void awaitState(String tenant, String id, String state) {
    History.awaitState(proxy, tenant, id, state);
  }

  /** Keeps the steps that each message's last attempt went through. */
  private static final class Steps extends EventNotifierSupport {
    @Override
    public boolean isEnabled(CamelEvent event) {
      return event instanceof CamelEvent.ExchangeCompletedEvent;
    }

    @Override
    public void notify(CamelEvent event) {
      Exchange exchange = ((CamelEvent.ExchangeCompletedEvent) event).getExchange();
      Attempt attempt = exchange.getProperty(Attempt.PROPERTY, Attempt.class);
      List<?> history = exchange.getProperty(Exchange.MESSAGE_HISTORY, List.class);
      if (attempt != null && history != null && exchange.getFromRouteId().endsWith("-queue")) {
        STEPS.put(
            attempt.getId(),
            history.stream().map(entry -> ((MessageHistory) entry).getNode().getId()).toList());
      }
    }
  }
}
