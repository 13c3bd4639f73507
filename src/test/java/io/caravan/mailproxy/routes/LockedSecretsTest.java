package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Starts with other keys than those that sealed what is stored. */
class LockedSecretsTest {
  private static final Duration LONG = Duration.ofSeconds(20);
  private static final String ONE = "one:" + "A".repeat(43) + "=";
  private static final String TWO = "two:" + "B".repeat(42) + "A=";

  @TempDir Path home;
  private TestProxy proxy;

  private TestProxy start(String keys) throws IOException {
    Files.writeString(home.resolve("keys"), keys);
    proxy = TestProxy.start(home, "encryption.key-file", "keys", "sync.retry-delays", "0");
    return proxy;
  }

  private JsonNode health(String account) {
    for (JsonNode each : json(proxy.get("/accounts?tenant_id=acme")).path("accounts")) {
      if (each.path("id").asText().equals(account)) {
        return each.path("health");
      }
    }
    throw new AssertionError("no account " + account);
  }

  private void awaitSent(String id) {
    await().atMost(LONG).until(() -> proxy.state("acme", id).equals("sent"));
  }

  private String stored(String account) throws SQLException {
    try (Connection connection = proxy.proxy().bean("reader", DataSource.class).getConnection();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT password FROM account WHERE id = '" + account + "'")) {
      return row.next() ? row.getString(1) : "";
    }
  }

  private void execute(String sql) throws SQLException {
    try (Connection connection = proxy.proxy().bean("writer", DataSource.class).getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private JsonNode rotate() {
    return json(
        proxy.send(
            proxy.request("/keys/rotate").POST(HttpRequest.BodyPublishers.noBody()).build()));
  }

  @Test
  void what_no_key_opens_waits_and_the_rest_goes_on() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        SyncEndpoint endpoint = new SyncEndpoint();
        LogLines log = new LogLines()) {
      relay.offers = List.of("AUTH PLAIN");
      try (TestProxy first = start(ONE)) {
        for (String id : List.of("locked", "second", "moved")) {
          first.relayAccount(
              "acme", id, relay.port(), "user", "u", "password", "p-" + id, "use_tls", false);
        }
        first.relayAccount("acme", "open", relay.port());
        first.relayAccount(
            "acme",
            "failing-over",
            relay.port(),
            "user",
            "u",
            "password",
            "p",
            "failover_account_id",
            "open");
        first.post(
            "/tenant",
            Map.of(
                "id",
                "acme",
                "client_base_url",
                endpoint.url(),
                "client_auth",
                Map.of("method", "bearer", "token", "t")));
        await().until(() -> !endpoint.calls.isEmpty());
      }
      endpoint.calls.clear();

      try (TestProxy other = start(TWO)) {
        String before = stored("locked");
        assertThat(before).startsWith("v1:one:");
        assertThat(health("locked").path("state").asText()).isEqualTo("locked");
        assertThat(health("locked").path("reason").asText())
            .isEqualTo("its password is sealed with key one, which is not loaded");
        assertThat(health("locked").has("next_probe_ts")).isFalse();
        assertThat(health("open").path("state").asText()).isEqualTo("ok");
        await()
            .untilAsserted(
                () ->
                    assertThat(log.lines())
                        .anyMatch(
                            line ->
                                line.startsWith("WARN Account locked of tenant acme is locked")
                                    && line.contains("key one")));

        other.submit(message("acme", "locked", "waits"));
        other.submit(message("acme", "open", "goes"));
        other.submit(message("acme", "failing-over", "stood-in-for"));
        other.relayAccount(
            "acme", "second", relay.port(), "user", "u", "password", "new", "use_tls", false);
        assertThat(health("second").path("state").asText()).isEqualTo("ok");
        other.submit(message("acme", "second", "mended"));
        awaitSent("goes");
        awaitSent("stood-in-for");
        assertThat(History.events(other, "acme", "stood-in-for").toList().toString())
            .contains("\"open\"");
        awaitSent("mended");
        JsonNode waiting = json(other.get("/messages/waits?tenant_id=acme")).path("waiting");
        assertThat(waiting.path("state").asText()).isEqualTo("circuit");
        assertThat(waiting.path("reason").asText()).contains("no loaded key");
        assertThat(relay.lines).noneMatch(line -> line.contains("Subject of waits"));

        await()
            .atMost(LONG)
            .untilAsserted(
                () ->
                    assertThat(log.lines())
                        .anyMatch(
                            line ->
                                line.startsWith(
                                        "ERROR report to acme failed: tenant acme is locked")
                                    && line.contains("key one")));
        assertThat(endpoint.calls).as("none without the token").isEmpty();
        assertThat(json(other.get("/tenant/acme")).path("client_auth").toString())
            .isEqualTo(
                "{\"locked\":\"its client_auth is sealed with key one, which is not loaded\"}");

        JsonNode rotated = rotate();
        assertThat(rotated.path("rotated").asInt()).isZero();
        assertThat(rotated.path("left").asInt()).isEqualTo(4);
        assertThat(stored("locked")).isEqualTo(before);
        execute(
            "UPDATE account SET password = (SELECT password FROM account WHERE id = 'locked')"
                + " WHERE id = 'moved'");
      }

      try (TestProxy both = start(TWO + "," + ONE)) {
        awaitSent("waits");
        await().until(() -> endpoint.told("waits") == 1 && endpoint.told("goes") == 1);
        assertThat(endpoint.calls).allMatch(call -> call.authorization().equals("Bearer t"));
        assertThat(health("locked").path("state").asText()).isEqualTo("ok");
        assertThat(health("moved").path("reason").asText()).contains("does not open");

        assertThat(rotate().toString()).isEqualTo("{\"ok\":true,\"rotated\":3,\"left\":1}");
        assertThat(rotate().toString()).isEqualTo("{\"ok\":true,\"rotated\":0,\"left\":1}");
        both.submit(message("acme", "locked", "meanwhile"));
        awaitSent("meanwhile");
        assertThat(
                both.send(
                        HttpRequest.newBuilder(both.uri("/keys/rotate"))
                            .POST(HttpRequest.BodyPublishers.noBody())
                            .build())
                    .statusCode())
            .isEqualTo(401);
      }

      try (TestProxy second = start(TWO)) {
        assertThat(health("locked").path("state").asText()).isEqualTo("ok");
        second.submit(message("acme", "locked", "rotated"));
        awaitSent("rotated");
        await().until(() -> endpoint.told("rotated") == 1);
        second.send(
            second
                .request("/tenant/acme")
                .header("Content-Type", "application/json")
                .PUT(
                    HttpRequest.BodyPublishers.ofString(
                        "{\"client_auth\":{\"method\":\"bearer\",\"token\":\"changed\"}}"))
                .build());
        assertThat(json(second.get("/tenant/acme")).path("client_auth").toString())
            .isEqualTo("{\"method\":\"bearer\"}");
        endpoint.calls.clear();
        second.submit(message("acme", "open", "last"));
        await().until(() -> endpoint.told("last") == 1);
        assertThat(endpoint.calls).allMatch(call -> call.authorization().equals("Bearer changed"));
        second.delete("/account/moved?tenant_id=acme");
        assertThat(rotate().path("left").asInt()).isZero();
      }
    }
  }
}
