package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.TOKEN;
import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Access;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operation of the table by every kind of caller, and what tenants do with their tokens. */
class AuthorizationTest {
  private static final String FOREIGN = "Token not authorized for this tenant";
  private static final String UNKNOWN = "Invalid or missing API token";

  @TempDir static Path home;
  private static TestProxy proxy;
  private static String ofA;
  private static String ofB;
  private static String expired;

  @BeforeAll
  static void start() {
    proxy = TestProxy.start(home, "auth.max-failures-per-minute", "1000");
    ofA = json(proxy.post("/tenant", Map.of("id", "a"))).path("api_key").textValue();
    ofB = json(proxy.post("/tenant", Map.of("id", "b"))).path("api_key").textValue();
    proxy.post("/tenant", Map.of("id", "c"));
    long soon = System.currentTimeMillis() / 1000 + 2;
    expired =
        json(proxy.post("/tenant/c/api-key", Map.of("expires_at", soon)))
            .path("api_key")
            .textValue();
    await().until(() -> call("GET", "/status", expired, "").statusCode() == 401);
  }

  @AfterAll
  static void stop() {
    proxy.close();
  }

  private static HttpResponse<String> call(String method, String path, String token, String body) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(proxy.uri(path))
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(body));
    return proxy.send((token == null ? request : request.header("X-API-Token", token)).build());
  }

  static Stream<Arguments> operations() {
    return Access.table().entrySet().stream()
        .map(operation -> Arguments.of(operation.getKey(), operation.getValue()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("operations")
  void the_table_holds(String id, Access.Operation operation) {
    boolean owner = operation.who() == Access.Who.OWNER;
    String path =
        operation.path().replaceAll("\\{[^}]+}", owner ? "a" : "nothing") + "?tenant_id=a";
    String admin = operation.who() == Access.Who.ADMIN ? "Admin token required" : UNKNOWN;

    if (operation.who() == Access.Who.ANYBODY) {
      for (String token : new String[] {null, "wrong", ofA, expired}) {
        assertThat(call(operation.method(), path, token, "{}").statusCode()).isNotIn(401, 403);
      }
      return;
    }
    refused(call(operation.method(), path, null, "{}"), 401, admin);
    refused(call(operation.method(), path, "wrong", "{}"), 401, UNKNOWN);
    refused(call(operation.method(), path, expired, "{}"), 401, UNKNOWN);
    HttpResponse<String> foreign = call(operation.method(), path, ofB, "{}");
    switch (operation.who()) {
      case TOKEN -> admitted(foreign);
      case TENANT -> refused(foreign, 401, FOREIGN);
      case OWNER -> refused(foreign, 404, "Tenant 'a' not found");
      default -> refusedToTenants(foreign);
    }
    HttpResponse<String> own = call(operation.method(), path, ofA, "{}");
    if (operation.who() == Access.Who.ADMIN) {
      refusedToTenants(own);
    } else {
      admitted(own);
    }
    admitted(call(operation.method(), path, TOKEN, "{}"));
  }

  private static void refusedToTenants(HttpResponse<String> answer) {
    refused(answer, 403, "Admin token required, tenant tokens not allowed for this operation");
  }

  private static void refused(HttpResponse<String> answer, int status, String detail) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(json(answer).path("detail").asText()).isEqualTo(detail);
    assertThat(answer.headers().firstValue("WWW-Authenticate").isPresent())
        .isEqualTo(status == 401);
  }

  private static void admitted(HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as(answer.body()).isNotIn(401, 403, 429, 500);
  }

  @Test
  void a_tenant_needs_not_name_itself_and_may_name_no_other() {
    String account = "{\"id\":\"own\",\"type\":\"sandbox\"%s}";
    assertThat(call("POST", "/account", ofA, account.formatted("")).statusCode()).isEqualTo(200);
    assertThat(json(call("GET", "/accounts", ofA, "")).path("accounts").get(0).path("tenant_id"))
        .hasToString("\"a\"");
    refused(call("POST", "/account", ofA, account.formatted(",\"tenant_id\":\"b\"")), 401, FOREIGN);
    refused(
        call("POST", "/account", ofA, account.formatted(",\"tenant_id\":\"none\"")), 401, FOREIGN);
    String message =
        "{\"messages\":[{\"id\":\"m\",\"account_id\":\"own\",\"from\":\"a@b.test\","
            + "\"to\":[\"c@d.test\"],\"subject\":\"s\"%s}]}";
    String add = "/commands/add-messages";
    assertThat(json(call("POST", add, ofA, message.formatted(""))).path("queued").intValue())
        .isEqualTo(1);
    refused(call("POST", add, ofB, message.formatted(",\"tenant_id\":\"a\"")), 401, FOREIGN);
    assertThat(call("POST", add, ofB, message.formatted("")).body())
        .contains("account not found for tenant");
    assertThat(call("GET", "/messages/m", ofA, "").statusCode()).isEqualTo(200);
    for (String of : List.of("/messages/m", "/messages/m/resolve", "/account/own")) {
      String method = of.endsWith("resolve") ? "POST" : of.startsWith("/m") ? "GET" : "DELETE";
      String body = of.endsWith("resolve") ? "{\"outcome\":\"sent\"}" : "";
      HttpResponse<String> foreign = call(method, of, ofB, body);
      HttpResponse<String> absent =
          call(method, of.replace("/m/", "/n/").replaceAll("/(m|own)$", "/n"), ofB, body);
      assertThat(foreign.statusCode()).isEqualTo(absent.statusCode()).isBetween(400, 404);
      assertThat(told(foreign)).isEqualTo(told(absent));
    }
  }

  private static Map<String, Object> told(HttpResponse<String> answer) {
    ObjectNode body = ((ObjectNode) json(answer)).without("request_id");
    return Map.of("body", body, "type", answer.headers().firstValue("Content-Type").orElse(""));
  }

  @Test
  void a_new_token_replaces_the_old_one_at_once_or_after_an_overlap() {
    String first = json(proxy.post("/tenant", Map.of("id", "r"))).path("api_key").textValue();
    assertThat(first).hasSize(43);
    assertThat(json(proxy.post("/tenant", Map.of("id", "r"))).has("api_key")).isFalse();
    assertThat(valid(first)).as("kept when the tenant is changed").isTrue();

    String second = json(proxy.post("/tenant/r/api-key", "")).path("api_key").textValue();
    assertThat(valid(first)).isFalse();
    assertThat(valid(second)).isTrue();

    String third =
        json(proxy.post("/tenant/r/api-key", Map.of("overlap_seconds", 2)))
            .path("api_key")
            .textValue();
    assertThat(valid(second)).isTrue();
    assertThat(valid(third)).isTrue();
    await().until(() -> !valid(second));
    assertThat(valid(third)).isTrue();

    assertThat(proxy.delete("/tenant/r/api-key").statusCode()).isEqualTo(200);
    assertThat(valid(third)).isFalse();
    assertThat(proxy.post("/tenant/nobody/api-key", "").statusCode()).isEqualTo(404);
    assertThat(proxy.post("/tenant", Map.of("id", "null")).statusCode()).isEqualTo(422);
    assertThat(proxy.post("/tenant/r/api-key", Map.of("expires_at", 5)).statusCode())
        .isEqualTo(422);
  }

  private static boolean valid(String token) {
    return call("GET", "/status", token, "").statusCode() == 200;
  }

  @Test
  void tokens_outlive_a_restart_and_wrong_ones_are_stopped(@TempDir Path other) throws Exception {
    String token;
    try (TestProxy first = TestProxy.start(other)) {
      token = json(first.post("/tenant", Map.of("id", "t"))).path("api_key").textValue();
      first.post("/tenant", Map.of("id", "u"));
      first.post("/tenant/u/api-key", Map.of("expires_at", 4_000_000_000L)); // the first one ends
    }
    Files.writeString(other.resolve("token"), TOKEN + "\n");
    try (TestProxy second = TestProxy.start(other, "api.token", "", "api.token-file", "token")) {
      await().untilAsserted(() -> assertThat(tokensOf(second)).containsExactly("t", "u"));
      assertThat(second.get("/status").statusCode()).as("the token of the file").isEqualTo(200);
      HttpRequest.Builder status = HttpRequest.newBuilder(second.uri("/status"));
      for (int i = 1; i <= 22; i++) {
        HttpResponse<String> wrong = second.send(status.copy().header("X-API-Token", "x").build());
        assertThat(wrong.statusCode()).as("failure " + i).isEqualTo(i <= 20 ? 401 : 429);
        assertThat(wrong.headers().firstValue("Retry-After").isPresent()).isEqualTo(i > 20);
      }
      assertThat(second.send(status.copy().build()).statusCode())
          .as("without a token nobody guesses")
          .isEqualTo(401);
      assertThat(second.send(status.copy().header("X-API-Token", token).build()).statusCode())
          .isEqualTo(200);
    }
  }

  /** Whose tokens are kept. */
  private static List<String> tokensOf(TestProxy of) throws Exception {
    List<String> tenants = new ArrayList<>();
    try (Connection connection = of.proxy().bean("reader", DataSource.class).getConnection();
        var rows =
            connection
                .createStatement()
                .executeQuery("SELECT tenant_id FROM tenant_key ORDER BY tenant_id")) {
      while (rows.next()) {
        tenants.add(rows.getString(1));
      }
    }
    return tenants;
  }

  @Test
  void an_operation_that_is_not_in_the_table_is_nobodys(@TempDir Path other) {
    TestProxy.route(
        other,
        "mine.camel.yaml",
        """
        - route:
            id: mine
            routeConfigurationId: http
            from:
              uri: platform-http:/mine
              steps:
                - bean: { id: mine-read, ref: requests, method: read }
                - bean: { id: mine-guard, ref: guard, method: admit }
                - bean: { id: mine-answer, ref: answers, method: ok }
        """);
    try (TestProxy mine = TestProxy.start(other)) {
      assertThat(mine.get("/mine").statusCode()).isEqualTo(403);
    }
  }
}
