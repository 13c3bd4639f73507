package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Json;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** add-messages and GET /messages: the rules of the batch and the form of the answers. */
class ApiMessagesRouteTest {
  /** The first second of 2100. */
  private static final long IN_2100 = 4_102_444_800L;

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

  private static HttpResponse<String> add(Object... items) {
    return proxy.post("/commands/add-messages", Map.of("messages", List.of(items)));
  }

  private Map<String, Object> waiting(String id, Object... more) {
    Map<String, Object> item = new HashMap<>(message(tenant, "main", id, "deferred_ts", IN_2100));
    for (int i = 0; i < more.length; i += 2) {
      item.put((String) more[i], more[i + 1]);
    }
    return item;
  }

  private JsonNode list(String more) {
    return json(proxy.get("/messages?tenant_id=" + tenant + more)).path("messages");
  }

  @Test
  void an_empty_batch_is_fine() {
    HttpResponse<String> answer = add();

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).isEqualTo("{\"ok\":true,\"queued\":0,\"rejected\":[]}");
  }

  @Test
  void a_thousand_are_taken_in_one_call() {
    proxy.sandboxAccount(tenant, "main");
    List<Map<String, Object>> items = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      items.add(waiting("m" + i));
    }
    proxy.submit(items);

    assertThat(list("")).hasSize(1_000);
  }

  @Test
  void what_is_good_is_queued_and_what_is_not_is_named() {
    proxy.sandboxAccount(tenant, "main");
    HttpResponse<String> answer =
        add(
            waiting("a"),
            waiting("b", "to", "nobody"),
            waiting("c"),
            waiting("c", "subject", "another"),
            waiting("a"),
            waiting("d", "account_id", "none"));

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(json(answer).path("queued").asInt()).isEqualTo(3);
    assertThat(json(answer).path("rejected"))
        .extracting(r -> r.path("index").asInt() + r.path("id").asText() + r.path("code").asText())
        .containsExactly("1binvalid_address", "3cduplicate_in_batch", "5daccount_not_found");
    assertThat(list("")).extracting(m -> m.path("id").asText()).containsExactly("a", "c");

    HttpResponse<String> again = add(waiting("b"));
    assertThat(json(again).path("queued").asInt()).as("a rejected id is free").isEqualTo(1);
  }

  @Test
  void the_same_again_is_queued_and_other_content_replaces_what_was_not_touched() {
    proxy.sandboxAccount(tenant, "main");
    proxy.sandboxAccount(tenant, "other");
    proxy.submit(waiting("m"));
    String pk = proxy.message(tenant, "m").path("pk").asText();
    proxy.submit(waiting("m"));
    assertThat(list("")).hasSize(1);

    proxy.submit(
        waiting(
            "m",
            "subject",
            "New",
            "account_id",
            "other",
            "priority",
            "high",
            "batch_code",
            "b",
            "to",
            List.of("x@x.test", "y@y.test"),
            "deferred_ts",
            IN_2100 + 5));
    JsonNode replaced = proxy.message(tenant, "m");
    assertThat(replaced.path("pk").asText()).isEqualTo(pk);
    assertThat(replaced.path("message").path("subject").asText()).isEqualTo("New");
    assertThat(replaced.path("account_id").asText()).isEqualTo("other");
    assertThat(replaced.path("priority").asInt()).isEqualTo(1);
    assertThat(replaced.path("batch_code").asText()).isEqualTo("b");
    assertThat(replaced.path("deferred_ts").asLong()).isEqualTo(IN_2100 + 5);
    assertThat(replaced.path("recipients")).hasSize(2);

    Map<String, Object> now = waiting("m", "subject", "Now");
    now.remove("deferred_ts");
    proxy.submit(now);
    await().until(() -> proxy.state(tenant, "m").equals("sent"));
    assertThat(proxy.message(tenant, "m").path("message").path("subject").asText())
        .isEqualTo("Now");

    for (Object item : List.of(now, waiting("m", "subject", "Late"))) {
      HttpResponse<String> late = add(item);
      assertThat(late.statusCode()).isEqualTo(200);
      assertThat(json(late).path("queued").asInt(-1)).isZero();
      assertThat(json(late).path("rejected").get(0).path("reason").asText())
          .isEqualTo("already sent");
      assertThat(json(late).path("rejected").get(0).path("code").asText())
          .isEqualTo("already_sent");
    }
  }

  @Test
  void what_is_in_delivery_or_was_tried_is_not_replaced() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      relay.script = step -> step.is("MAIL") ? ScriptedSmtpServer.HANG : null;
      proxy.relayAccount(tenant, "main", relay.port());
      Map<String, Object> item = message(tenant, "main", "m");
      proxy.submit(item);
      await().until(() -> relay.open.get() > 0);

      proxy.submit(item);
      HttpResponse<String> other = add(message(tenant, "main", "m", "subject", "other"));
      assertThat(other.statusCode()).isEqualTo(400);
      assertThat(json(other).path("detail").path("error").isNull()).isTrue();
      assertThat(json(other).path("detail").path("rejected").get(0).path("reason").asText())
          .isEqualTo("in delivery");
      relay.script = step -> step.is("MAIL") ? "450 later" : null;
    }
    await().until(() -> proxy.state(tenant, "m").equals("deferred"));
    HttpResponse<String> tried = add(message(tenant, "main", "m", "subject", "other"));
    assertThat(json(tried).path("detail").path("rejected").get(0).path("code").asText())
        .isEqualTo("in_delivery");
  }

  @ParameterizedTest
  @CsvSource({
    "none, none, 2",
    "none, 0, 0",
    "none, high, 1",
    "none, 99, 3",
    "3, 0, 3",
    "low, immediate, 3",
    "-4, 3, 0",
    "7, 0, 3"
  })
  void priority_is_the_items_then_the_batchs_then_the_settings(
      String item, String batch, int expected) {
    proxy.sandboxAccount(tenant, "main");
    Map<String, Object> message = waiting("m");
    put(message, "priority", item);
    Map<String, Object> body = new HashMap<>(Map.of("messages", List.of(message)));
    put(body, "default_priority", batch);

    assertThat(proxy.post("/commands/add-messages", body).statusCode()).isEqualTo(200);
    assertThat(proxy.message(tenant, "m").path("priority").asInt(-1)).isEqualTo(expected);
  }

  private static void put(Map<String, Object> target, String name, String value) {
    if (!value.equals("none")) {
      target.put(name, value.matches("-?\\d+") ? Integer.valueOf(value) : value);
    }
  }

  @Test
  void the_tenant_is_derived_from_the_account_where_only_one_has_it() {
    proxy.sandboxAccount(tenant, "only-" + tenant);
    proxy.sandboxAccount(tenant, "both-" + tenant);
    proxy.sandboxAccount("other-" + tenant, "both-" + tenant);
    Map<String, Object> one = waiting("m", "account_id", "only-" + tenant);
    Map<String, Object> two = waiting("n", "account_id", "both-" + tenant);
    one.remove("tenant_id");
    two.remove("tenant_id");

    HttpResponse<String> answer = add(one, two);
    assertThat(json(answer).path("queued").asInt()).isEqualTo(1);
    assertThat(json(answer).path("rejected").get(0).path("reason").asText())
        .isEqualTo("missing tenant_id");
    assertThat(proxy.message(tenant, "m").path("tenant_id").asText()).isEqualTo(tenant);
  }

  @Test
  void ids_of_two_tenants_are_apart() {
    for (String name : List.of(tenant, "second-" + tenant)) {
      proxy.sandboxAccount(name, "main");
      proxy.submit(message(name, "main", "m", "subject", name, "deferred_ts", IN_2100));
      assertThat(proxy.message(name, "m").path("message").path("subject").asText()).isEqualTo(name);
    }
    assertThat(list("")).hasSize(1);
  }

  @Test
  void a_message_is_listed_with_the_documented_fields() {
    proxy.post("/tenant", Map.of("id", tenant, "name", "Tenant's name"));
    proxy.sandboxAccount(tenant, "main");
    proxy.submit(message(tenant, "main", "sent"));
    proxy.submit(waiting("later", "batch_code", "spring"));
    await().until(() -> proxy.state(tenant, "sent").equals("sent"));

    JsonNode sent = proxy.message(tenant, "sent");
    assertThat(sent.properties())
        .extracting(Map.Entry::getKey)
        .containsExactlyInAnyOrder(
            "pk",
            "id",
            "tenant_id",
            "tenant_name",
            "account_id",
            "priority",
            "sent_ts",
            "created_at",
            "updated_at",
            "is_pec",
            "message",
            "recipients",
            "history");
    assertThat(sent.path("tenant_name").asText()).isEqualTo("Tenant's name");
    assertThat(sent.path("created_at").asText())
        .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d");
    assertThat(sent.path("message").path("content_type").asText()).isEqualTo("plain");
    assertThat(sent.path("recipients").get(0).path("address").asText())
        .isEqualTo("reader@example.test");
    assertThat(sent.path("recipients").get(0).path("status").asText()).isEqualTo("sent");
    assertThat(sent.path("history"))
        .extracting(e -> e.path("event_type").asText())
        .contains("sent");
    assertThat(sent.path("history").get(0).path("event_ts").asLong())
        .isEqualTo(sent.path("sent_ts").asLong());

    assertThat(list("")).hasSize(2).noneMatch(m -> m.has("history"));
    JsonNode active = list("&active_only=true");
    assertThat(active).hasSize(1);
    assertThat(active.get(0).path("id").asText()).isEqualTo("later");
    assertThat(active.get(0).path("deferred_ts").asLong()).isEqualTo(IN_2100);
    assertThat(active.get(0).path("batch_code").asText()).isEqualTo("spring");
    assertThat(active.get(0).has("sent_ts")).isFalse();
  }

  @Test
  void an_error_has_its_text_and_time() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      proxy.relayAccount(tenant, "main", relay.port());
      proxy.submit(message(tenant, "main", "m", "to", List.of("550@x.test", "fine@x.test")));
      await().until(() -> proxy.state(tenant, "m").equals("error"));

      JsonNode failed = proxy.message(tenant, "m");
      assertThat(failed.path("error").asText())
          .contains("550@x.test")
          .doesNotContain("fine@x.test");
      assertThat(failed.path("error_ts").asLong()).isEqualTo(failed.path("sent_ts").asLong());
      assertThat(failed.path("recipients"))
          .extracting(r -> r.path("status").asText())
          .containsExactly("failed", "sent");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "/messages, 422, tenant_id",
    "/messages?tenant_id=, 400, tenant_id is required",
    "/messages?tenant_id=x&active_only=perhaps, 422, active_only",
    "/messages?tenant_id=x&include_history=, 422, include_history",
    "/messages?tenant_id=nobody, 200, '{\"ok\":true,\"messages\":[]}'",
    "/messages?tenant_id=nobody&limit=10&status=sent, 200, messages",
    "/messages?tenant_id=%27%3B%20drop%20table%20message%3B--, 200, messages",
    "/messages?tenant_id=%25, 200, '{\"ok\":true,\"messages\":[]}'",
    "/messages?tenant_id=%FF, 200, messages",
    "/messages?tenant_id=x%00, 422, tenant_id"
  })
  void listing_answers(String path, int status, String text) {
    HttpResponse<String> answer = proxy.get(path);

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(answer.body()).contains(text);
    assertThat(answer.headers().firstValue("Content-Type"))
        .hasValue(status == 400 ? "application/problem+json" : "application/json");
  }

  @Test
  void B49_sql_and_wildcards_are_only_text() {
    proxy.sandboxAccount(tenant, "main");
    List<String> texts =
        List.of(
            "'; drop table message;--",
            "\\",
            "%_",
            "${sys.user.name}",
            "{{api.token}}",
            "🚀",
            "../x");
    for (String text : texts) {
      proxy.submit(
          waiting(
              text,
              "subject",
              text,
              "body",
              text,
              "batch_code",
              text,
              "headers",
              Map.of("X", text)));
    }
    for (String text : texts) {
      JsonNode kept = proxy.message(tenant, text);
      assertThat(kept.path("message").path("subject").asText()).isEqualTo(text);
      assertThat(kept.path("message").path("body").asText()).isEqualTo(text);
      assertThat(kept.path("batch_code").asText()).isEqualTo(text);
    }
  }

  @Test
  void B28_B31_dots_and_wide_characters_are_one_mail_on_the_wire() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      proxy.relayAccount(tenant, "main", relay.port());
      List<String> bodies =
          List.of(
              "hi\n.\nMAIL FROM:<e@x.test>",
              "\r.\rMAIL FROM:<e@x.test>",
              "\r\n.\r\nMAIL FROM:<e@x.test>",
              "\n.\r\n",
              "\r\n.\rQUIT",
              "\u760D\u760ARCPT TO:<e@x.test>\u760D\u760A.");
      List<Map<String, Object>> items = new ArrayList<>();
      for (String body : bodies) {
        items.add(message(tenant, "main", "m" + items.size(), "body", body, "subject", "瘍瘊 x"));
      }
      proxy.submit(items);
      await()
          .until(
              () ->
                  list("").size() == bodies.size()
                      && proxy.state(tenant, "m0").equals("sent")
                      && list("&active_only=true").isEmpty());

      assertThat(relay.mails).hasSize(bodies.size());
      assertThat(relay.mails)
          .allSatisfy(
              mail -> {
                assertThat(mail.to()).hasSize(1).first().asString().contains("reader@example.test");
                assertThat(mail.from()).contains("sender@example.test");
              });
    }
  }

  @Test
  void wrong_types_store_nothing_of_the_batch() {
    proxy.sandboxAccount(tenant, "main");
    HttpResponse<String> answer = add(waiting("a"), Map.of("id", 7));

    assertThat(answer.statusCode()).isEqualTo(422);
    assertThat(list("")).isEmpty();
    assertThat(Json.tree(answer.body()).path("detail").isArray()).isTrue();
  }
}
