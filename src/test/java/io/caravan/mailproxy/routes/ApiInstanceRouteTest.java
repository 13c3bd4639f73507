package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.endtoend.TestStore;
import io.caravan.mailproxy.http.Json;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** routes/api-instance.camel.yaml and the tenants' own settings. */
class ApiInstanceRouteTest {
  @TempDir Path home;

  private static HttpResponse<String> put(TestProxy proxy, String path, Map<String, ?> body) {
    return proxy.send(
        proxy
            .request(path)
            .header("Content-Type", "application/json")
            .PUT(BodyPublishers.ofString(Json.text(body)))
            .build());
  }

  @Test
  void what_is_given_is_changed_and_secrets_are_never_shown() throws SQLException {
    try (TestProxy proxy = TestProxy.start(home)) {
      JsonNode first = json(proxy.get("/instance"));
      assertThat(first.path("id").intValue()).isEqualTo(1);
      assertThat(first.path("bounce_imap_port").intValue()).isEqualTo(993);
      assertThat(first.path("bounce_enabled").booleanValue()).isFalse();
      assertThat(first.has("name")).isFalse();

      Map<String, Object> change =
          Map.of(
              "name", "ours",
              "bounce_enabled", true,
              "bounce_imap_password", "hidden",
              "api_token", "another");
      assertThat(put(proxy, "/instance", change).statusCode()).isEqualTo(200);
      assertThat(put(proxy, "/instance", Map.of("bounce_imap_port", 143)).statusCode())
          .isEqualTo(200);
      assertThat(put(proxy, "/instance", Map.of("bounce_imap_port", 0)).statusCode())
          .isEqualTo(422);
      assertThat(json(proxy.post("/keys/rotate", "")).path("left").intValue())
          .as("sealed, and known to who seals anew")
          .isZero();
      try (Connection store = TestStore.connect(home);
          ResultSet row =
              store.createStatement().executeQuery("SELECT bounce_imap_password FROM instance")) {
        row.next();
        assertThat(row.getString(1)).startsWith("v1:");
      }
      assertThat(proxy.post("/instance/reload-bounce", "").statusCode()).isEqualTo(501);
    }
    try (TestProxy proxy = TestProxy.start(home)) { // with the same token
      HttpResponse<String> answer = proxy.get("/instance");
      assertThat(answer.body()).doesNotContain("hidden").doesNotContain("token");
      JsonNode now = json(answer);
      assertThat(now.path("name").asText()).isEqualTo("ours");
      assertThat(now.path("bounce_enabled").booleanValue()).isTrue();
      assertThat(now.path("bounce_imap_port").intValue()).isEqualTo(143);
    }
  }

  @Test
  void a_tenant_is_shown_and_changed_field_by_field() {
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.post(
          "/tenant",
          Map.of(
              "id", "t",
              "name", "Tea",
              "client_base_url", "http://127.0.0.1:1",
              "client_auth", Map.of("method", "basic", "user", "u", "password", "hidden")));
      proxy.post("/tenant", Map.of("id", "idle", "active", false));

      JsonNode shown = json(proxy.get("/tenant/t"));
      assertThat(shown.path("client_auth"))
          .isEqualTo(Json.tree("{\"method\":\"basic\",\"user\":\"u\"}"));
      assertThat(json(proxy.get("/tenants")).path("tenants")).hasSize(2);
      assertThat(json(proxy.get("/tenants?active_only=true")).at("/tenants/0/id").asText())
          .isEqualTo("t");

      assertThat(put(proxy, "/tenant/t", Map.of("name", "Toast")).statusCode()).isEqualTo(200);
      JsonNode changed = json(proxy.get("/tenant/t"));
      assertThat(changed.path("name").asText()).isEqualTo("Toast");
      assertThat(changed.path("client_base_url").asText()).isEqualTo("http://127.0.0.1:1");
      assertThat(changed.path("client_auth")).isEqualTo(shown.path("client_auth"));
      assertThat(put(proxy, "/tenant/t", Map.of()).statusCode()).as("nothing").isEqualTo(404);
      assertThat(put(proxy, "/tenant/none", Map.of("name", "x")).statusCode()).isEqualTo(404);
      assertThat(proxy.get("/tenant/none").statusCode()).isEqualTo(404);
      assertThat(put(proxy, "/tenant/t", Map.of("client_base_url", "ftp://x")).statusCode())
          .isEqualTo(422);

      JsonNode sync = json(proxy.get("/tenants/sync-status"));
      assertThat(sync.path("sync_interval_seconds").intValue()).isEqualTo(300);
      assertThat(sync.at("/tenants/0/id").asText()).isEqualTo("idle");
      assertThat(sync.at("/tenants/0/in_dnd").booleanValue()).isFalse();
    }
  }
}
