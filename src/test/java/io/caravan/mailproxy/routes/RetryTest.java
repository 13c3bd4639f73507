package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.delivery.AlwaysStale;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** routes/retry.camel.yaml: which answer is retried, how often, and until when. */
class RetryTest {
  @TempDir Path home;
  private ScriptedSmtpServer relay;

  @BeforeEach
  void start() throws Exception {
    relay = new ScriptedSmtpServer();
  }

  @AfterEach
  void stop() throws Exception {
    relay.close();
  }

  @Test
  void after_the_last_attempt_the_relays_words_are_the_error() {
    try (TestProxy proxy =
        TestProxy.start(
            home, "retry.delays", "0", "retry.jitter", "0", "retry.max-attempts", "3")) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.submit(message("acme", "a", "m", "to", List.of("450.4.2.0+x@x.test")));

      History.awaitState(proxy, "acme", "m", "error");
      assertThat(proxy.message("acme", "m").path("error").asText())
          .isEqualTo("450.4.2.0+x@x.test: Max retries (2) exceeded: 450 4.2.0 as asked");
      assertThat(History.attempts(proxy, "acme", "m")).containsExactly(1, 2, 3);
      assertThat(relay.count("MAIL")).isEqualTo(3);
    }
  }

  @Test
  void each_delay_is_the_one_that_is_set() {
    try (TestProxy proxy = TestProxy.start(home, "retry.delays", "0,0,70,80")) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.submit(message("acme", "a", "m", "to", List.of("450.4.2.0+x@x.test")));

      History.awaitState(proxy, "acme", "m", "deferred");
      List<Long> delays =
          History.events(proxy, "acme", "m")
              .map(
                  event ->
                      event.path("metadata").path("next_attempt_at").longValue() / 1000
                          - event.path("event_ts").longValue())
              .toList();
      assertThat(delays).hasSize(3).startsWith(0L, 0L);
      assertThat(delays.get(2)).isBetween(62L, 78L);
    }
  }

  @Test
  void a_message_is_given_up_when_the_next_attempt_would_be_too_late() {
    try (TestProxy proxy =
        TestProxy.start(home, "retry.delays", "600", "message.max-age-seconds", "60")) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.submit(message("acme", "a", "m", "to", List.of("450.4.2.0+x@x.test")));

      History.awaitState(proxy, "acme", "m", "error");
      assertThat(proxy.message("acme", "m").path("error").asText())
          .isEqualTo("450.4.2.0+x@x.test: expired: 450 4.2.0 as asked");
    }
  }

  @Test
  void a_message_may_set_its_own_end() {
    try (TestProxy proxy = TestProxy.start(home, "retry.delays", "600")) {
      proxy.relayAccount("acme", "a", relay.port());
      long now = Instant.now().getEpochSecond();
      proxy.submit(
          List.of(
              message("acme", "a", "soon", "to", List.of("450@x.test"), "expires_ts", now + 60),
              message(
                  "acme", "a", "later", "to", List.of("450@x.test"), "expires_ts", now + 6000)));

      History.awaitState(proxy, "acme", "soon", "error");
      History.awaitState(proxy, "acme", "later", "deferred");
      assertThat(proxy.message("acme", "soon").path("error").asText())
          .isEqualTo("450@x.test: expired: 450 as asked");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "log: { message: '${body.text}' }",
        "throwException: { message: no, exceptionType: java.lang.IllegalStateException }"
      })
  void a_policy_that_does_not_judge_loses_nothing(String step) throws Exception {
    Files.writeString(
        TestProxy.home(home).resolve("routes.d/retry.camel.yaml"),
        "- route:\n    id: judge-answer\n    from:\n      uri: direct:judge-answer\n      steps:\n"
            + "        - "
            + step
            + "\n");
    try (LogLines log = new LogLines();
        TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.submit(
          message("acme", "a", "m", "to", List.of("ok@x.test", "450@x.test", "550@x.test")));

      History.awaitState(proxy, "acme", "m", "deferred");
      assertThat(proxy.message("acme", "m").path("recipients"))
          .extracting(recipient -> recipient.path("status").asText())
          .as("who has it does not get it again")
          .containsExactly("sent", "pending", "pending");
      assertThat(log.lines())
          .filteredOn("ERROR the retry policy failed, m keeps what the relay answered: no"::equals)
          .hasSize(step.startsWith("throw") ? 2 : 0);
    }
  }

  @Test
  void a_connection_that_is_stale_twice_uses_the_attempt_up() {
    TestProxy.route(
        home,
        "hand-over.camel.yaml",
        """
        - route:
            id: hand-over
            routeConfigurationId: inner
            from:
              uri: direct:hand-over
              steps:
                - bean: { beanType: io.caravan.mailproxy.delivery.AlwaysStale, method: send }
        """);
    AlwaysStale.SENDS.set(0);
    try (TestProxy proxy = TestProxy.start(home, "retry.delays", "60")) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.submit(message("acme", "a", "m"));

      History.awaitState(proxy, "acme", "m", "deferred");
      assertThat(History.attempts(proxy, "acme", "m")).containsExactly(1);
      assertThat(proxy.message("acme", "m").toString()).contains("gone again");
      assertThat(AlwaysStale.SENDS).hasValue(2);
    }
  }
}
