package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.net.http.HttpRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** routes/api-commands.camel.yaml: what was asked for, and what is not told of it. */
class CommandLogTest {
  private static final String SECRET = "S3cr3t-canary";

  @TempDir Path home;

  @Test
  void every_command_of_who_was_let_in_is_logged_without_secrets_and_mail() {
    try (TestProxy proxy = TestProxy.start(home)) {
      String token = json(proxy.post("/tenant", tenant())).path("api_key").textValue();
      proxy.post(
          "/account", Map.of("id", "a", "tenant_id", "t", "type", "sandbox", "password", SECRET));
      proxy.post("/account", Map.of("id", "broken", "tenant_id", "t", "password", SECRET));
      Map<String, Object> mail = message("t", "a", "m-1", "subject", SECRET, "body", SECRET);
      proxy.submit(List.of(mail, message("t", "a", "m-2")));
      proxy.post(
          "/commands/add-messages", Map.of("messages", List.of(message("t", "none", "m-3"))));
      proxy.send(
          HttpRequest.newBuilder(proxy.uri("/commands/suspend?tenant_id=t&batch_code=b"))
              .header("X-API-Token", token)
              .header("X-Request-Id", "mine")
              .POST(HttpRequest.BodyPublishers.noBody())
              .build());
      proxy.send(
          HttpRequest.newBuilder(proxy.uri("/commands/suspend?tenant_id=t"))
              .header("X-API-Token", "wrong")
              .POST(HttpRequest.BodyPublishers.noBody())
              .build());
      proxy.get("/messages?tenant_id=t");

      JsonNode log = json(proxy.get("/command-log"));
      assertThat(log.toString()).doesNotContain(SECRET).doesNotContain(token);
      assertThat(told(log, "endpoint", "response_status", "tenant_id", "caller"))
          .containsExactly(
              List.of("addTenant", "200", "t", "admin"),
              List.of("addAccount", "200", "t", "admin"),
              List.of("addAccount", "422", "t", "admin"),
              List.of("addMessages", "200", "t", "admin"),
              List.of("addMessages", "400", "t", "admin"),
              List.of("suspend", "200", "t", "tenant t"));
      assertThat(log.path("total").intValue()).isEqualTo(6);
      JsonNode commands = log.path("commands");
      assertThat(commands.get(0).at("/payload/client_auth/token").asText()).isEqualTo("***");
      assertThat(commands.get(1).at("/payload/password").asText()).isEqualTo("***");
      assertThat(commands.get(3).path("payload"))
          .hasToString("{\"messages\":{\"count\":2,\"ids\":[\"m-1\",\"m-2\"]}}");
      assertThat(commands.get(5).path("request_id").asText()).isEqualTo("mine");
      assertThat(commands.get(5).at("/payload/batch_code").asText()).isEqualTo("b");

      long third = commands.get(2).path("id").longValue();
      assertThat(told(json(proxy.get("/command-log?tenant_id=t&endpoint_filter=ACC")), "endpoint"))
          .hasSize(2);
      assertThat(told(json(proxy.get("/command-log?limit=2&after_id=" + third)), "endpoint"))
          .containsExactly(List.of("addMessages"), List.of("addMessages"));
      long ts = commands.get(0).path("command_ts").longValue();
      assertThat(told(json(proxy.get("/command-log?until_ts=" + (ts - 1))), "id")).isEmpty();
      assertThat(told(json(proxy.get("/command-log?since_ts=" + ts)), "id")).hasSize(6);
      assertThat(proxy.get("/command-log?since_ts=x").statusCode()).isEqualTo(422);
      JsonNode exported = json(proxy.get("/command-log/export")).path("commands");
      assertThat(exported).hasSize(6);
      assertThat(exported.get(3).path("tenant_id").asText()).isEqualTo("t");
      assertThat(exported.get(0).properties()).hasSize(4);
    }
    try (TestProxy proxy = TestProxy.start(home)) {
      for (String field : List.of("smtp_password", "Password", "pwd", "client_secret", "apiKey")) {
        proxy.post("/account", Map.of("id", "b", "tenant_id", "t", field, SECRET));
      }
      proxy.post("/account?token=" + SECRET, Map.of("id", "b", "tenant_id", "t"));
      String url = "http://me:" + SECRET + "@app.example/";
      Map<String, Object> large = Map.of("storage_url", url, "secret_key", SECRET);
      proxy.post("/tenant", Map.of("id", "u", "client_base_url", url, "large_file_config", large));
      JsonNode log = json(proxy.get("/command-log"));
      assertThat(log.path("total").intValue()).isEqualTo(6 + 7);
      assertThat(log.toString()).doesNotContain(SECRET).contains("http://***@app.example/");
    }
    try (TestProxy proxy = TestProxy.start(home, "command-log.retention-seconds", "0")) {
      await().until(() -> json(proxy.get("/command-log")).path("commands").isEmpty());
    }
  }

  private static Map<String, Object> tenant() {
    return Map.of("id", "t", "client_auth", Map.of("method", "bearer", "token", SECRET));
  }

  private static List<List<String>> told(JsonNode log, String... fields) {
    List<List<String>> told = new ArrayList<>();
    for (JsonNode command : log.path("commands")) {
      told.add(List.of(fields).stream().map(field -> command.path(field).asText()).toList());
    }
    return told;
  }
}
