package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Json;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Accounts whose relay refuses connections or the log-in (F16, F27), and who stands in for them.
 */
class AccountHealthTest {
  private static final Duration LONG = Duration.ofSeconds(20);
  private static final String DROP = ScriptedSmtpServer.DROP;

  @TempDir static Path home;
  private static LogLines log;
  private static TestProxy proxy;
  private static int tenants;

  private final String tenant = "t" + tenants++;
  private ScriptedSmtpServer relay;
  private ScriptedSmtpServer second;

  @BeforeAll
  static void startProxy() {
    log = new LogLines();
    proxy =
        TestProxy.start(
            home,
            "circuit.probe-seconds",
            "1",
            "smtp.command-timeout",
            "2",
            "retry.delays",
            "0",
            "retry.jitter",
            "0",
            "retry.max-attempts",
            "4");
  }

  @AfterAll
  static void stopProxy() {
    proxy.close();
    log.close();
  }

  @BeforeEach
  void startRelays() throws Exception {
    relay = new ScriptedSmtpServer();
    second = new ScriptedSmtpServer();
  }

  @AfterEach
  void stopRelays() throws Exception {
    proxy.delete("/account/a?tenant_id=" + tenant);
    relay.close();
    second.close();
  }

  private JsonNode health(String account) {
    for (JsonNode each : json(proxy.get("/accounts?tenant_id=" + tenant)).path("accounts")) {
      if (each.path("id").asText().equals(account)) {
        return each.path("health");
      }
    }
    throw new AssertionError("no account " + account);
  }

  private void awaitHealth(String account, String... states) {
    await()
        .atMost(LONG)
        .until(() -> List.of(states).contains(health(account).path("state").asText()));
  }

  private void submit(int count, String prefix) {
    List<Map<String, Object>> messages = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      messages.add(message(tenant, "a", prefix + i));
    }
    proxy.submit(messages);
  }

  private void awaitSent(int count, String prefix) {
    for (int i = 0; i < count; i++) {
      String id = prefix + i;
      await().atMost(LONG).until(() -> proxy.state(tenant, id).equals("sent"));
    }
  }

  private long linesWith(String text) {
    return log.lines().stream().filter(line -> line.contains(text)).count();
  }

  @ParameterizedTest
  @CsvSource({
    "CONNECT, 554 5.7.1 blocked, refused",
    "AUTH, 535 5.7.8 wrong, auth_failed",
    "MAIL, 530 5.7.0 log in first, auth_failed"
  })
  void while_a_relay_refuses_us_mail_waits_unspent_and_others_go_on(
      String verb, String reaction, String state) throws Exception {
    relay.offers = List.of("PIPELINING", "AUTH PLAIN");
    relay.script = step -> step.is(verb) ? reaction : null;
    proxy.relayAccount(
        tenant,
        "a",
        relay.port(),
        "user",
        "u",
        "password",
        "canary",
        "use_tls",
        false,
        "max_connections",
        3);
    proxy.relayAccount(tenant, "other", second.port());
    assertThat(health("a").path("state").asText()).isEqualTo("ok");
    submit(20, "m");

    awaitHealth("a", state, "half_open");
    proxy.submit(message(tenant, "other", "elsewhere"));
    await().until(() -> proxy.state(tenant, "elsewhere").equals("sent"));
    assertThat(health("other").path("state").asText()).isEqualTo("ok");
    assertThat(health("a").path("reason").asText()).isNotEmpty();
    assertThat(health("a").path("since_ts").asLong()).isPositive();
    await().until(() -> health("a").path("next_probe_ts").asLong() > 0);
    long tried = tries();
    await().atMost(LONG).until(() -> tries() > tried);
    assertThat(tries()).as("three at once, then one each second").isLessThan(20);

    long failed = tries();
    relay.script = step -> null;
    awaitSent(20, "m");
    awaitHealth("a", "ok");
    assertThat(health("a").has("reason")).isFalse();
    int attempts = 0;
    for (int i = 0; i < 20; i++) {
      attempts += History.types(proxy, tenant, "m" + i).size();
    }
    assertThat(attempts)
        .as("attempts that met nobody do not count")
        .isLessThanOrEqualTo(20 + (int) failed);
    String account = "Account a of tenant " + tenant;
    await().untilAsserted(() -> assertThat(linesWith(account + " works again")).isEqualTo(1));
    assertThat(linesWith(account + " is " + state)).isEqualTo(1);
    assertThat(linesWith("canary")).isZero();
    assertThat(accountEvents()).containsExactly(state, "ok");
  }

  private long tries() {
    return Math.max(relay.connections.get(), relay.count("MAIL"));
  }

  private List<String> accountEvents() throws Exception {
    List<String> states = new ArrayList<>();
    Database database = proxy.proxy().bean("database", Database.class);
    try (var connection = Database.readerOf(database).getConnection();
        var query =
            connection.prepareStatement(
                "SELECT data FROM event WHERE type = 'account' AND tenant_id = ?"
                    + " ORDER BY pk")) {
      query.setString(1, tenant);
      try (var rows = query.executeQuery()) {
        while (rows.next()) {
          states.add(Json.tree(rows.getString(1)).path("state").asText());
        }
      }
    }
    return states;
  }

  @Test
  void a_temporary_refusal_of_the_log_in_says_nothing_of_the_account() {
    relay.offers = List.of("AUTH PLAIN");
    relay.script = step -> step.is("AUTH") ? "454 4.7.0 later" : null;
    proxy.relayAccount(tenant, "a", relay.port(), "user", "u", "password", "p", "use_tls", false);
    submit(1, "m");

    await().until(() -> proxy.state(tenant, "m0").equals("error"));
    assertThat(relay.count("AUTH")).isEqualTo(4);
    assertThat(health("a").path("state").asText()).isEqualTo("ok");
  }

  @Test
  void a_relay_that_never_greets_is_in_trouble_after_the_command_timeout() {
    relay.script = step -> step.is("CONNECT") ? ScriptedSmtpServer.HANG : null;
    proxy.relayAccount(tenant, "a", relay.port());
    submit(5, "m");
    awaitHealth("a", "refused", "half_open");

    relay.script = step -> null;
    relay.dropAll();
    awaitSent(5, "m");
  }

  @Test
  void a_changed_account_starts_anew() {
    relay.script = step -> step.is("CONNECT") ? DROP : null;
    proxy.relayAccount(tenant, "a", relay.port());
    submit(5, "m");
    awaitHealth("a", "refused", "half_open");

    proxy.relayAccount(tenant, "a", second.port());
    assertThat(health("a").path("state").asText()).isEqualTo("ok");
    awaitSent(5, "m");
    assertThat(second.mails).hasSize(5);
  }

  @Test
  void mail_of_a_deleted_account_in_trouble_ends() {
    relay.script = step -> step.is("CONNECT") ? DROP : null;
    proxy.relayAccount(tenant, "a", relay.port());
    submit(5, "m");
    awaitHealth("a", "refused", "half_open");

    proxy.delete("/account/a?tenant_id=" + tenant);
    for (int i = 0; i < 5; i++) {
      String id = "m" + i;
      await().until(() -> proxy.state(tenant, id).equals("error"));
    }
  }

  @Test
  void another_account_stands_in_until_the_first_works_again() {
    relay.script = step -> step.is("CONNECT") ? DROP : null;
    proxy.relayAccount(tenant, "b", second.port());
    proxy.relayAccount(tenant, "a", relay.port(), "failover_account_id", "b", "max_connections", 1);
    submit(10, "m");

    awaitSent(10, "m");
    assertThat(second.mails).hasSize(10);
    assertThat(health("a").path("state").asText()).isIn("refused", "half_open");
    assertThat(health("b").path("state").asText()).isEqualTo("ok");
    assertThat(History.events(proxy, tenant, "m9").toList().toString()).contains("\"b\"");

    relay.script = step -> null;
    await()
        .atMost(LONG)
        .until(
            () -> {
              String id = "n" + second.mails.size() + "-" + relay.connections.get();
              proxy.submit(message(tenant, "a", id));
              await().until(() -> proxy.state(tenant, id).equals("sent"));
              return relay.mails.size() > 0;
            });
    awaitHealth("a", "ok");
    submit(3, "back");
    awaitSent(3, "back");
    assertThat(relay.mails).hasSizeGreaterThanOrEqualTo(4);
  }

  @Test
  void when_both_are_in_trouble_mail_waits_for_whichever_works_first() {
    relay.script = step -> step.is("CONNECT") ? DROP : null;
    second.script = relay.script;
    proxy.relayAccount(tenant, "b", second.port());
    proxy.relayAccount(tenant, "a", relay.port(), "failover_account_id", "b", "max_connections", 1);
    submit(20, "m");
    awaitHealth("a", "refused", "half_open");
    awaitHealth("b", "refused", "half_open");

    second.script = step -> null;
    awaitSent(20, "m");
    assertThat(second.mails).hasSize(20);
    awaitHealth("b", "ok");
  }

  @Test
  void an_account_that_is_not_there_does_not_stand_in() {
    relay.script = step -> step.is("CONNECT") ? DROP : null;
    proxy.relayAccount(tenant, "a", relay.port(), "failover_account_id", "nobody");
    submit(5, "m");
    awaitHealth("a", "refused", "half_open");

    relay.script = step -> null;
    awaitSent(5, "m");
  }
}
