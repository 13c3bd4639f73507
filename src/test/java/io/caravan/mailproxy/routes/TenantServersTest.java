package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.net.AddressGuard;
import io.caravan.mailproxy.report.ReportAnswer;
import io.caravan.mailproxy.report.ReportCall;
import io.caravan.mailproxy.report.ReportClient;
import io.vertx.core.Vertx;
import java.net.InetAddress;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a tenant may name, and whom it may send as (reliability-security B62, B64–B74). */
class TenantServersTest {
  @TempDir static Path home;
  private static TestProxy proxy;
  private static String token;

  /** A name that no rule of names refuses, and that leads to this machine. */
  private static String here;

  @BeforeAll
  static void start() throws Exception {
    proxy = TestProxy.start(home);
    token = json(proxy.post("/tenant", Map.of("id", "own"))).path("api_key").asText();
    here = InetAddress.getLocalHost().getHostName();
  }

  @AfterAll
  static void stop() {
    proxy.close();
  }

  private static HttpResponse<String> asTenant(String method, String path, Object body) {
    return call(token, method, path, body);
  }

  private static HttpResponse<String> call(String caller, String method, String path, Object body) {
    return proxy.send(
        HttpRequest.newBuilder(proxy.uri(path))
            .header("X-API-Token", caller)
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(Json.text(body)))
            .build());
  }

  private static Map<String, Object> account(String id, String host, int port) {
    return new HashMap<>(Map.of("id", id, "tenant_id", "own", "host", host, "port", port));
  }

  private static JsonNode account(String id) {
    for (JsonNode one : json(proxy.get("/accounts?tenant_id=own")).path("accounts")) {
      if (one.path("id").asText().equals(id)) {
        return one;
      }
    }
    return Json.tree("{}");
  }

  @ParameterizedTest
  @CsvSource({
    "169.254.169.254, 25, host, blocked_address",
    "localhost, 587, host, blocked_address",
    "127.1, 25, host, blocked_address",
    "[::1], 25, host, blocked_address",
    "10.0.0.1, 465, host, blocked_address",
    "relay.example, 22, port, blocked_port",
    "relay.example, 6379, port, blocked_port"
  })
  void a_tenant_names_no_server_within(String host, int port, String field, String code) {
    HttpResponse<String> answer = asTenant("POST", "/account", account("inner", host, port));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
    assertThat(json(answer).at("/errors/0/pointer").asText()).isEqualTo("/" + field);
    assertThat(json(answer).at("/errors/0/code").asText()).isEqualTo(code);
    assertThat(account("inner")).isEmpty();
  }

  @Test
  void the_administrator_names_any_and_a_tenant_may_leave_it_as_it_is() {
    assertThat(proxy.post("/account", account("given", "127.0.0.1", 22)).statusCode())
        .isEqualTo(200);
    Map<String, Object> same = account("given", "127.0.0.1", 22);
    same.put("max_connections", 3);
    assertThat(asTenant("POST", "/account", same).statusCode()).isEqualTo(200);
    assertThat(account("given").path("max_connections").asInt()).isEqualTo(3);
    assertThat(account("given").path("set_by").asText()).isEqualTo("admin");

    assertThat(asTenant("POST", "/account", account("given", "127.0.0.1", 25)).statusCode())
        .isEqualTo(422);
    assertThat(asTenant("POST", "/account", account("given", "relay.example", 25)).statusCode())
        .isEqualTo(200);
    assertThat(account("given").path("set_by").asText()).isEqualTo("tenant");
  }

  @Test
  void a_name_that_leads_within_is_not_reached() {
    asTenant("POST", "/account", account("turned", here, 2525));
    asTenant(
        "POST",
        "/commands/add-messages",
        Map.of("messages", List.of(message("own", "turned", "m-turned"))));
    await().until(() -> detail("m-turned").contains("blocked_address: " + here));
    HttpResponse<String> tested = asTenant("POST", "/account/turned/test", Map.of());
    assertThat(json(tested).path("ok").asBoolean()).isFalse();
    assertThat(tested.body()).contains("DNS", "blocked_address").doesNotContain("127.");
  }

  private static String detail(String id) {
    return proxy.get("/messages/" + id + "?tenant_id=own").body();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://127.0.0.1:8080/",
        "http://127.1/",
        "http://2130706433/",
        "http://0/",
        "http://localhost",
        "http://LOCALHOST.",
        "http://169.254.169.254/latest",
        "http://[fd00:ec2::254]/",
        "http://metadata.google.internal/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://evil.test@127.0.0.1/",
        "http://evil.test\\@127.0.0.1/",
        "http://127.0.0.1%2f.evil/",
        "http:///127.0.0.1/",
        "file:///etc/passwd",
        "ftp://app.example/",
        "gopher://app.example/",
        "jar:http://app.example!/",
        "data:text/plain,x",
        "netdoc:/etc/passwd",
        "http://app.example:22/",
        "http://app.example:5432/",
        "https://app.example:25/"
      })
  void a_tenant_names_no_url_within(String url) {
    HttpResponse<String> answer = asTenant("PUT", "/tenant/own", Map.of("client_base_url", url));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
    assertThat(json(proxy.get("/tenant/own")).path("client_base_url").asText()).isNotEqualTo(url);
  }

  @Test
  void a_url_is_whose_who_set_a_part_of_it_last() {
    String within = "http://127.0.0.1:9/app";
    proxy.post("/tenant", Map.of("id", "own", "client_base_url", within));
    assertThat(urlSetBy()).isEqualTo("admin");
    Map<String, Object> same = Map.of("client_base_url", within, "name", "ours");
    assertThat(asTenant("PUT", "/tenant/own", same).statusCode()).isEqualTo(200);
    assertThat(urlSetBy()).isEqualTo("admin");
    Map<String, Object> path = Map.of("client_sync_path", "/other");
    HttpResponse<String> refused = asTenant("PUT", "/tenant/own", path);
    assertThat(refused.statusCode()).isEqualTo(422);
    assertThat(json(refused).at("/errors/0/pointer").asText()).isEqualTo("/client_sync_path");

    Map<String, Object> outside = Map.of("client_base_url", "HTTPS://app.example:8443/");
    assertThat(asTenant("PUT", "/tenant/own", outside).statusCode()).isEqualTo(200);
    assertThat(urlSetBy()).isEqualTo("tenant");
    assertThat(asTenant("PUT", "/tenant/own", path).statusCode()).isEqualTo(200);
    assertThat(urlSetBy()).isEqualTo("tenant");
  }

  private static String urlSetBy() {
    return json(proxy.get("/tenant/own")).path("url_set_by").asText();
  }

  @Test
  void a_guarded_call_goes_to_public_addresses_only() throws Exception {
    Vertx vertx = Vertx.vertx();
    try (SyncEndpoint endpoint = new SyncEndpoint()) {
      String url = endpoint.url().replace("127.0.0.1", "localhost") + "/sync";
      ReportAnswer shut = client(vertx, "").post(call(url, true));
      assertThat(shut.acknowledged()).isFalse();
      assertThat(shut.reason()).contains("blocked_address: localhost");
      assertThat(endpoint.calls).isEmpty();
      assertThat(client(vertx, "").post(call(url, false)).acknowledged()).isTrue();
      assertThat(client(vertx, "127.0.0.0/8").post(call(url, true)).acknowledged()).isTrue();
      assertThat(endpoint.calls).hasSize(2);
    } finally {
      vertx.close().toCompletionStage().toCompletableFuture().join();
    }
  }

  private static ReportClient client(Vertx vertx, String allow) {
    return new ReportClient(vertx, new AddressGuard(allow), 5);
  }

  private static ReportCall call(String url, boolean guarded) {
    return new ReportCall(
        "own", url, guarded, null, "{\"delivery_report\":[]}", List.of(), true, 0);
  }

  @Test
  void a_tenant_sends_as_the_domains_it_was_given_and_cannot_change_them() {
    Map<String, Object> given =
        Map.of("id", "bound", "allowed_sender_domains", List.of("Ours.example", "*.ours.example"));
    String bound = json(proxy.post("/tenant", given)).path("api_key").asText();
    proxy.sandboxAccount("bound", "box");
    assertThat(sent(bound, "a@ours.example", null)).isEqualTo("queued");
    assertThat(sent(bound, "Us <a@news.OURS.example>", "b@ours.example")).isEqualTo("queued");
    assertThat(sent(bound, "a@ours.example", "<>")).isEqualTo("queued");
    assertThat(sent(bound, "a@other.example", null))
        .isEqualTo("sender_not_allowed /messages/0/from");
    assertThat(sent(bound, "a@notours.example", null))
        .isEqualTo("sender_not_allowed /messages/0/from");
    assertThat(sent(bound, "a@ours.example", "b@other.example"))
        .isEqualTo("sender_not_allowed /messages/0/return_path");

    assertThat(domains(bound, "other.example")).isEqualTo(403);
    assertThat(json(proxy.get("/tenant/bound")).path("allowed_sender_domains")).hasSize(2);
    assertThat(domains(TestProxy.TOKEN, "other.example")).isEqualTo(200);
    assertThat(sent(bound, "a@other.example", null)).isEqualTo("queued");
    assertThat(domains(TestProxy.TOKEN, "a@b")).isEqualTo(422);
    assertThat(domains(TestProxy.TOKEN)).isEqualTo(200);
    assertThat(sent(bound, "a@any.example", null)).isEqualTo("queued");
  }

  private static int domains(String caller, String... domains) {
    Map<String, Object> body = Map.of("allowed_sender_domains", List.of(domains));
    return call(caller, "PUT", "/tenant/bound", body).statusCode();
  }

  private static int sent;

  private static String sent(String caller, String from, String returnPath) {
    Map<String, Object> message = new HashMap<>(message("bound", "box", "s-" + sent++));
    message.put("from", from);
    if (returnPath != null) {
      message.put("return_path", returnPath);
    }
    JsonNode answer =
        json(call(caller, "POST", "/commands/add-messages", Map.of("messages", List.of(message))));
    JsonNode rejected =
        answer.path("rejected").isEmpty() ? answer.at("/detail/rejected") : answer.path("rejected");
    return rejected.isEmpty()
        ? "queued"
        : rejected.at("/0/code").asText() + " " + rejected.at("/0/pointer").asText();
  }
}
