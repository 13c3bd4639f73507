package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.delivery.Attempt;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestApplication;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.endtoend.TestStore;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** routes/hooks.camel.yaml: a hook that fails loses no mail and undoes no outcome. */
class HooksTest {
  private static final String FAILS =
      """
      - route:
          id: %1$s
          description: Fails at the first attempt.
          routeConfigurationId: inner
          from:
            uri: direct:%1$s
            steps:
              - choice:
                  id: which-attempt
                  when:
                    - id: first-attempt
                      expression: { simple: { expression: "${exchangeProperty.attempt.number} == 1" } }
                      steps:
                        - throwException: { id: fail, exceptionType: java.lang.%2$s, message: the hook failed }
      """;

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
  void a_hook_that_fails_before_sending_defers() {
    TestProxy.route(
        home, "hooks.camel.yaml", FAILS.formatted("on-before-send", "IllegalStateException"));
    try (TestProxy proxy = TestProxy.start(home, "retry.delays", "0")) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.submit(message("acme", "a", "m"));

      History.awaitState(proxy, "acme", "m", "sent");
      assertThat(History.types(proxy, "acme", "m")).containsExactly("deferred", "sent");
      assertThat(History.events(proxy, "acme", "m").findFirst().orElseThrow().toString())
          .contains("the hook failed");
      assertThat(relay.mails).hasSize(1);
    }
  }

  @Test
  void a_hook_that_fails_after_sending_leaves_the_outcome_and_its_report() {
    TestProxy.route(home, "hooks.camel.yaml", FAILS.formatted("on-sent", "IllegalStateException"));
    try (TestApplication application = new TestApplication();
        TestProxy proxy = TestProxy.start(home)) {
      proxy.post("/tenant", Map.of("id", "acme", "client_base_url", application.url()));
      proxy.relayAccount("acme", "a", relay.port());
      proxy.submit(message("acme", "a", "m"));

      History.awaitState(proxy, "acme", "m", "sent");
      await().untilAsserted(() -> assertThat(application.events()).hasSize(1));
      await().untilAsserted(() -> assertThat(proxy.exchanges("deliver-message")).isEqualTo(1));
      assertThat(proxy.exchanges("on-sent")).isEqualTo(1);
      assertThat(History.types(proxy, "acme", "m")).containsExactly("sent");
      assertThat(relay.mails).hasSize(1);
    }
  }

  @Test
  void a_hook_that_fails_after_a_refusal_leaves_the_outcome() {
    TestProxy.route(
        home, "hooks.camel.yaml", FAILS.formatted("on-failed", "IllegalStateException"));
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.submit(message("acme", "a", "m", "to", List.of("550@x.test")));

      History.awaitState(proxy, "acme", "m", "error");
      await().untilAsserted(() -> assertThat(proxy.exchanges("on-failed")).isEqualTo(1));
      assertThat(History.types(proxy, "acme", "m")).containsExactly("error");
    }
  }

  /** What ends a thread's stack or heap while a mail is made. */
  public static final class Poison {
    public int taste(Exchange exchange) {
      String id = exchange.getProperty(Attempt.PROPERTY, Attempt.class).getId();
      if (id.equals("heap")) {
        throw new OutOfMemoryError("thrown for this mail");
      }
      return id.equals("stack") ? 1 + taste(exchange) : 0;
    }
  }

  @Test
  void a_mail_that_breaks_the_virtual_machine_fails_alone() {
    TestProxy.route(
        home,
        "hooks.camel.yaml",
        """
        - route:
            id: on-before-send
            routeConfigurationId: inner
            from:
              uri: direct:on-before-send
              steps:
                - setProperty:
                    name: tasted
                    expression: { simple: { expression: "${bean:type:%s?method=taste}" } }
        """
            .formatted(Poison.class.getName()));
    try (TestProxy proxy = TestProxy.start(home, "retry.delays", "0", "retry.max-attempts", "2")) {
      proxy.relayAccount("acme", "a", relay.port(), "max_connections", 1);
      proxy.submit(
          List.of(
              message("acme", "a", "stack"),
              message("acme", "a", "heap"),
              message("acme", "a", "fine")));

      History.awaitState(proxy, "acme", "stack", "error");
      History.awaitState(proxy, "acme", "heap", "error");
      History.awaitState(proxy, "acme", "fine", "sent");
      assertThat(History.types(proxy, "acme", "heap")).containsExactly("deferred", "error");
      assertThat(relay.mails).hasSize(1);
    }
  }

  @Test
  void no_hooks_at_all_are_passed_over() {
    TestProxy.route(home, "hooks.camel.yaml", "[]\n");
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.submit(message("acme", "a", "m"));
      proxy.submit(message("acme", "a", "n", "to", List.of("550@x.test")));

      History.awaitState(proxy, "acme", "m", "sent");
      History.awaitState(proxy, "acme", "n", "error");
    }
  }

  @Test
  void a_hook_for_accounts_that_hangs_holds_up_neither_their_events_nor_their_mail()
      throws Exception {
    String hangs =
        """
        - route:
            id: on-account-health
            description: Hangs.
            routeConfigurationId: inner
            from:
              uri: direct:on-account-health
              steps:
                - to: { uri: direct:called, id: say }
                - delay: { id: hang, asyncDelayed: false, expression: { constant: { expression: "60000" } } }
        - route:
            id: called
            description: Its count of exchanges shows how often the hook was called.
            routeConfigurationId: inner
            from:
              uri: direct:called
              steps:
                - log: { id: called-log, loggingLevel: DEBUG, message: called }
        """;
    TestProxy.route(home, "hooks.camel.yaml", hangs);
    relay.script = step -> step.is("CONNECT") ? ScriptedSmtpServer.DROP : null;
    try (TestProxy proxy =
        TestProxy.start(
            home,
            "circuit.failures",
            "1",
            "circuit.probe-seconds",
            "1",
            "retry.delays",
            "1",
            "drain.seconds",
            "1")) {
      for (String account : List.of("a", "b")) {
        proxy.relayAccount("acme", account, relay.port());
        proxy.submit(message("acme", account, account));
      }
      await().until(() -> told().size() == 2);
      await().until(() -> proxy.exchanges("called") == 1);

      relay.script = step -> null;
      for (String id : List.of("a", "b")) {
        History.awaitState(proxy, "acme", id, "sent");
      }
      await().until(() -> told().size() == 4);
      assertThat(told().subList(0, 2)).allMatch(data -> data.contains("refused"));
      assertThat(told().subList(2, 4)).allMatch(data -> data.contains("ok"));
      assertThat(proxy.exchanges("called")).as("it still hangs in its first call").isEqualTo(1);
    }
  }

  /** What events of accounts say, in their order. */
  private List<String> told() throws SQLException {
    try (Connection store = TestStore.connect(home);
        Statement statement = store.createStatement();
        ResultSet rows =
            statement.executeQuery("SELECT data FROM event WHERE type = 'account' ORDER BY pk")) {
      List<String> told = new ArrayList<>();
      while (rows.next()) {
        told.add(rows.getString(1));
      }
      return told;
    }
  }
}
