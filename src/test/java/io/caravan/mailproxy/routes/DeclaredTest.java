package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.ConfigurationException;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** routes/declared.camel.yaml: tenants, accounts and rules that stand in a file. */
class DeclaredTest {
  @TempDir Path home;

  private TestProxy start(String yaml) throws IOException {
    Files.writeString(home.resolve("declared.yaml"), yaml);
    return TestProxy.start(home, "declared.path", "declared.yaml");
  }

  private static HttpResponse<String> put(TestProxy proxy, String path, Object body) {
    return proxy.send(
        proxy
            .request(path)
            .header("Content-Type", "application/json")
            .PUT(BodyPublishers.ofString(Json.text(body)))
            .build());
  }

  @Test
  void what_is_declared_wins_at_each_start_and_the_rest_is_left_alone() throws Exception {
    Files.writeString(home.resolve("relay.secret"), "from-a-file\n");
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      relay.offers = List.of("AUTH PLAIN");
      String yaml =
          """
          tenants:
            - id: acme
              name: Acme
              client_auth: { method: basic, user: u, password: "file:relay.secret" }
          accounts:
            - { id: relay, tenant_id: acme, host: 127.0.0.1, port: %d, user: u, password: "file:relay.secret" }
          throttle_rules:
            - { name: ours, domains: [example.test], max_connections: 2 }
          """
              .formatted(relay.port());
      try (TestProxy proxy = start(yaml)) {
        proxy.submit(TestProxy.message("acme", "relay", "m-1"));
        await().until(() -> proxy.state("acme", "m-1").equals("sent"));
        assertThat(relay.lines).as("the secret").anyMatch(l -> l.startsWith("AUTH PLAIN"));

        Map<String, Object> account =
            Map.of(
                "id", "relay",
                "tenant_id", "acme",
                "host", "127.0.0.1",
                "port", relay.port(),
                "user", "u",
                "password", "from-a-file",
                "limit_per_hour", 7);
        assertThat(proxy.post("/account", account).statusCode()).isEqualTo(200);
        HttpResponse<String> other =
            proxy.post("/account", with(account, "port", relay.port() + 1));
        assertThat(other.statusCode()).isEqualTo(409);
        assertThat(json(other).path("code").asText()).isEqualTo("declared");
        assertThat(proxy.post("/account", with(account, "user", null)).statusCode())
            .as("left out is changed, where an account is replaced as a whole")
            .isEqualTo(409);
        assertThat(proxy.delete("/account/relay?tenant_id=acme").statusCode()).isEqualTo(409);
        assertThat(proxy.delete("/tenant/acme").statusCode()).isEqualTo(409);
        assertThat(proxy.post("/tenant", Map.of("id", "acme")).statusCode()).isEqualTo(409);
        assertThat(put(proxy, "/tenant/acme", Map.of("name", "x")).statusCode()).isEqualTo(409);
        assertThat(put(proxy, "/tenant/acme", Map.of("client_sync_path", "/s")).statusCode())
            .isEqualTo(200);
        assertThat(put(proxy, "/throttle-rules", Map.of("throttle_rules", List.of())).statusCode())
            .isEqualTo(409);
        proxy.sandboxAccount("acme", "undeclared");
        Map<String, Object> ours =
            Map.of("name", "ours", "domains", List.of("example.test"), "max_connections", 2);
        Map<String, Object> theirs = Map.of("name", "theirs", "domains", List.of("x.test"));
        Map<String, Object> both = Map.of("throttle_rules", List.of(theirs, ours));
        assertThat(put(proxy, "/throttle-rules", both).statusCode()).isEqualTo(200);
      }
      String changed =
          yaml.replace("name: Acme", "name: Acme Ltd.").replace("connections: 2", "connections: 3");
      try (TestProxy proxy =
          start(changed.replace(", password: \"file:relay.secret\" }\nthr", " }\nthr"))) {
        JsonNode tenant = json(proxy.get("/tenant/acme"));
        assertThat(tenant.path("name").asText()).isEqualTo("Acme Ltd.");
        assertThat(tenant.path("client_sync_path").asText()).isEqualTo("/s");
        JsonNode accounts = json(proxy.get("/accounts?tenant_id=acme")).path("accounts");
        assertThat(accounts).hasSize(2);
        assertThat(accounts.get(0).path("limit_per_hour").intValue()).isEqualTo(7);
        assertThat(accounts).extracting(one -> one.path("set_by").asText()).containsOnly("admin");
        JsonNode rules = json(proxy.get("/throttle-rules")).path("throttle_rules");
        assertThat(rules.get(0).path("max_connections").intValue()).isEqualTo(3);
        assertThat(rules.get(1).path("name").asText()).isEqualTo("theirs");
        int logins = logins(relay);
        proxy.submit(TestProxy.message("acme", "relay", "m-2"));
        await().until(() -> proxy.state("acme", "m-2").equals("sent"));
        assertThat(logins(relay)).as("an undeclared password is kept").isGreaterThan(logins);
      }
    }
  }

  private static int logins(ScriptedSmtpServer relay) {
    return (int) relay.lines.stream().filter(line -> line.startsWith("AUTH PLAIN")).count();
  }

  private static Map<String, Object> with(Map<String, Object> map, String name, Object value) {
    Map<String, Object> copy = new java.util.HashMap<>(map);
    copy.put(name, value);
    return copy;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tenants:\\n - id: a\\n   nmae: x| line 2: there is no field nmae here",
        "tenants:\\n - id: a\\n - id: a| line 3: it is declared twice",
        "tenants:\\n - id: a\\n   id: b| line 3: a key that is no text, or stands twice",
        "tenants: &x\\n - id: a\\naccounts: *x| line 1: an alias stands for it a second time",
        "accounts:\\n - id: a\\n   host: h| line 2: /port Field required",
        "accounts:\\n - id: a\\n   type: mx\\n   password: plain| line 4: password should be env:VARIABLE",
        "accounts:\\n - id: a\\n   type: mx\\n   password: env:NOT_SET_X| variable NOT_SET_X is not set",
        "accounts:\\n - id: a\\n   type: mx\\n   password: file:none| line 4: password: file",
        "throttle_rules:\\n - name: r\\n   domains: []| line 2:",
        "accounts: !!javax.script.ScriptEngineManager [x]| accounts should be a list of mappings",
        "people: []| line 1: there is no field people here",
        "- a| it should hold tenants",
        "tenants: [| declared.yaml"
      })
  void what_is_wrong_in_it_stops_the_start_and_says_where(String yaml, String told) {
    assertThatThrownBy(() -> start(yaml.replace("\\n", "\n")).close())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("declared.yaml")
        .hasMessageContaining(told.strip());
  }
}
