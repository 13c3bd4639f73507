package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
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

/** Accounts over REST, and what becomes of the mail of a deleted one. */
class ApiAccountsRouteTest {
  @TempDir static Path home;
  private static TestProxy proxy;
  private static int tenants;

  private final String tenant = "t" + tenants++;

  @BeforeAll
  static void start() {
    proxy = TestProxy.start(home);
  }

  @AfterAll
  static void stop() {
    proxy.close();
  }

  private JsonNode accounts() {
    HttpResponse<String> answer = proxy.get("/accounts?tenant_id=" + tenant);
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(json(answer).path("ok").asBoolean()).isTrue();
    return json(answer).path("accounts");
  }

  @Test
  void an_account_is_listed_with_what_was_given_and_without_secrets() {
    HttpResponse<String> added =
        proxy.post(
            "/account",
            Map.ofEntries(
                Map.entry("id", "main"),
                Map.entry("tenant_id", tenant),
                Map.entry("host", "relay.test"),
                Map.entry("port", 587),
                Map.entry("user", "me"),
                Map.entry("password", "canary-1"),
                Map.entry("use_tls", true),
                Map.entry("limit_per_minute", 5),
                Map.entry("limit_per_hour", -1),
                Map.entry("limit_behavior", "reject"),
                Map.entry("batch_size", 7),
                Map.entry("is_pec_account", true),
                Map.entry("imap_host", "imap.test"),
                Map.entry("imap_password", "canary-2"),
                Map.entry("imap_ssl", true),
                Map.entry("unknown", 1)));
    assertThat(added.statusCode()).isEqualTo(200);
    assertThat(added.body()).isEqualTo("{\"ok\":true}");

    JsonNode account = accounts().get(0);
    assertThat(account.toString()).doesNotContain("canary", "password", "null");
    assertThat(account.path("host").asText()).isEqualTo("relay.test");
    assertThat(account.path("port").asInt()).isEqualTo(587);
    assertThat(account.path("user").asText()).isEqualTo("me");
    assertThat(account.path("use_tls").isBoolean()).isTrue();
    assertThat(account.path("limit_per_minute").asInt()).isEqualTo(5);
    assertThat(account.has("limit_per_hour")).as("0 and less is none").isFalse();
    assertThat(account.path("limit_behavior").asText()).isEqualTo("reject");
    assertThat(account.path("ttl").asInt()).isEqualTo(300);
    assertThat(account.path("is_pec_account").asBoolean()).isTrue();
    assertThat(account.path("imap_port").asInt()).isEqualTo(993);
    assertThat(account.path("created_at").asText()).startsWith("2");
  }

  @Test
  void what_an_account_says_of_others_and_of_doubt_is_kept() {
    proxy.relayAccount(
        tenant,
        "main",
        25,
        "failover_account_id",
        "later",
        "on_uncertain",
        "hold",
        "local_address",
        "::1");
    JsonNode account = accounts().get(0);
    assertThat(account.path("failover_account_id").asText()).isEqualTo("later");
    assertThat(account.path("on_uncertain").asText()).isEqualTo("hold");
    assertThat(account.path("local_address").asText()).isEqualTo("::1");
    assertThat(account.at("/health/state").asText()).isEqualTo("ok");
    assertThat(account.at("/health/since_ts").asLong()).isPositive();

    proxy.relayAccount(tenant, "main", 25);
    assertThat(accounts().get(0).path("on_uncertain").asText()).isEqualTo("retry");
    assertThat(accounts().get(0).has("failover_account_id")).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "failover_account_id, main",
    "on_uncertain, maybe",
    "local_address, localhost",
    "local_address, 10.0.0.256",
    "local_address, [::1]",
    "local_address, 10.0.0.1:25",
    "type, smtp"
  })
  void a_wrong_value_is_told_by_its_name(String field, String value) {
    Map<String, Object> account =
        new HashMap<>(Map.of("id", "main", "tenant_id", tenant, "host", "relay.test", "port", 25));
    account.put(field, value);
    HttpResponse<String> answer = proxy.post("/account", account);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
    assertThat(answer.body()).contains(field);
    assertThat(accounts()).isEmpty();
  }

  @Test
  void a_test_logs_in_and_sends_nothing() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      relay.offers = List.of("AUTH PLAIN LOGIN", "SIZE 1000");
      proxy.relayAccount(tenant, "well", relay.port(), "user", "me", "password", "canary-3");
      HttpResponse<String> well = proxy.post(test("well"), "");
      assertThat(well.statusCode()).as(well.body()).isEqualTo(200);
      assertThat(json(well).path("ok").asBoolean()).as(well.body()).isTrue();
      assertThat(well.body())
          .contains("127.0.0.1 port " + relay.port(), "logged in as me", "1000 bytes")
          .doesNotContain("canary");

      relay.script = step -> step.is("AUTH") ? "535 5.7.8 no" : null;
      HttpResponse<String> refused = proxy.post(test("well"), "");
      JsonNode last = json(refused).path("findings").get(2);
      assertThat(json(refused).path("ok").asBoolean()).isFalse();
      assertThat(last.path("step").asText()).isEqualTo("AUTH");
      assertThat(last.path("text").asText()).contains("535", "log-in refused");
      assertThat(relay.mails).isEmpty();
    }
    assertThat(proxy.post(test("well"), "").body()).contains("TCP", "Connection refused");
    proxy.sandboxAccount(tenant, "box");
    assertThat(json(proxy.post(test("box"), "")).path("ok").asBoolean()).isTrue();
    assertThat(proxy.post(test("nosuch"), "").statusCode()).isEqualTo(400);
  }

  private String test(String account) {
    return "/account/" + account + "/test?tenant_id=" + tenant;
  }

  @Test
  void a_second_time_replaces_the_whole_but_imap() {
    proxy.post(
        "/account",
        Map.of(
            "id",
            "main",
            "tenant_id",
            tenant,
            "host",
            "a.test",
            "port",
            1,
            "user",
            "u",
            "limit_per_day",
            9,
            "imap_host",
            "imap.test",
            "imap_port",
            143));
    proxy.post("/account", Map.of("id", "main", "tenant_id", tenant, "host", "b.test", "port", 2));

    assertThat(accounts()).hasSize(1);
    JsonNode account = accounts().get(0);
    assertThat(account.path("host").asText()).isEqualTo("b.test");
    assertThat(account.has("user")).isFalse();
    assertThat(account.has("limit_per_day")).isFalse();
    assertThat(account.has("use_tls")).isFalse();
    assertThat(account.path("imap_host").asText()).isEqualTo("imap.test");
    assertThat(account.path("imap_port").asInt()).isEqualTo(143);
  }

  @Test
  void mail_follows_an_account_that_moved() throws Exception {
    try (ScriptedSmtpServer first = new ScriptedSmtpServer();
        ScriptedSmtpServer second = new ScriptedSmtpServer()) {
      proxy.relayAccount(tenant, "main", first.port());
      proxy.submit(message(tenant, "main", "a"));
      await().until(() -> first.mails.size() == 1);
      proxy.relayAccount(tenant, "main", second.port());
      proxy.submit(message(tenant, "main", "b"));
      await().until(() -> second.mails.size() == 1);
      assertThat(first.mails).hasSize(1);
    }
  }

  @Test
  void without_a_tenant_it_belongs_to_the_default_one() {
    proxy.post("/account", Map.of("id", "lone", "host", "a.test", "port", 25));

    assertThat(proxy.get("/accounts?tenant_id=default").body()).contains("\"lone\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "a b", "a+b", "a/b", "ü", "a%2Fb", "100%", "a;b", "?x=1#y"})
  void any_id_can_be_deleted(String id) {
    proxy.sandboxAccount(tenant, id);
    proxy.sandboxAccount("other-" + tenant, id);
    String path = URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20");
    path = "/account/" + path;

    assertThat(proxy.delete(path).statusCode()).isEqualTo(422);
    assertThat(proxy.delete(path + "?tenant_id=nobody").body())
        .startsWith("{\"detail\":\"account not found or not owned by tenant\",");
    HttpResponse<String> deleted = proxy.delete(path + "?tenant_id=" + tenant);
    assertThat(deleted.statusCode()).as(deleted.body()).isEqualTo(200);
    assertThat(deleted.body()).isEqualTo("{\"ok\":true}");
    assertThat(accounts()).isEmpty();
    assertThat(proxy.get("/accounts?tenant_id=other-" + tenant).body()).contains("\"accounts\":[{");
    assertThat(proxy.delete(path + "?tenant_id=" + tenant).statusCode()).isEqualTo(400);
  }

  @Test
  void waiting_mail_of_a_deleted_account_ends_with_an_error_at_once() throws Exception {
    long later = Instant.now().getEpochSecond() + 86_400;
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      proxy.relayAccount(tenant, "gone", relay.port());
      proxy.relayAccount(tenant, "stays", relay.port());
      proxy.submit(
          List.of(
              message(tenant, "gone", "planned", "deferred_ts", later),
              message(tenant, "gone", "retried", "to", List.of("450@x.test")),
              message(tenant, "stays", "kept", "deferred_ts", later)));
      await().until(() -> proxy.state(tenant, "retried").equals("deferred"));
      proxy.delete("/account/gone?tenant_id=" + tenant);

      await().until(() -> proxy.state(tenant, "planned").equals("error"));
      await().until(() -> proxy.state(tenant, "retried").equals("error"));
      assertThat(proxy.message(tenant, "planned").path("error").asText()).contains("gone");
      assertThat(proxy.state(tenant, "kept")).isEqualTo("deferred");

      HttpResponse<String> after =
          proxy.post(
              "/commands/add-messages", Map.of("messages", List.of(message(tenant, "gone", "n"))));
      assertThat(after.body()).contains("account not found for tenant");
    }
  }

  @Test
  void a_new_account_of_the_same_id_does_not_get_the_old_ones_mail() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      proxy.relayAccount(tenant, "main", relay.port());
      proxy.submit(
          message(tenant, "main", "old", "deferred_ts", Instant.now().getEpochSecond() + 86_400));
      proxy.delete("/account/main?tenant_id=" + tenant);
      proxy.relayAccount(tenant, "main", relay.port());
      proxy.submit(message(tenant, "main", "new"));

      await().until(() -> proxy.state(tenant, "old").equals("error"));
      await().until(() -> proxy.state(tenant, "new").equals("sent"));
      assertThat(relay.mails).hasSize(1);
    }
  }
}
