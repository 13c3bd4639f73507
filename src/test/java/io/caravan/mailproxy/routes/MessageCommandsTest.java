package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.TestApplication;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.endtoend.TestStore;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is done to messages over REST after they came in: delete, list, retry, cancel, hold. */
class MessageCommandsTest {
  private static final String[] SETTINGS = {"retry.delays", "600", "retry.jitter", "0"};
  private static final long LATER = System.currentTimeMillis() / 1000 + 86_400;

  @TempDir static Path home;
  private static ScriptedSmtpServer relay;
  private static TestProxy proxy;
  private static CountDownLatch gate = new CountDownLatch(1);

  @BeforeAll
  static void start() throws Exception {
    relay = new ScriptedSmtpServer();
    relay.script =
        step -> {
          if (step.is("RCPT") && step.line().contains("gate@")) {
            pass();
          }
          return step.line().contains("hang@") ? ScriptedSmtpServer.HANG : null;
        };
    proxy = TestProxy.start(home, SETTINGS);
  }

  private static void pass() {
    try {
      gate.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @AfterAll
  static void stop() throws Exception {
    relay.close();
    proxy.close();
  }

  private static JsonNode order(String tenant, String path, Object body) {
    HttpResponse<String> answer = proxy.post(path + "?tenant_id=" + tenant, body);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return json(answer);
  }

  private static int status(String tenant, String path) {
    return proxy.post(path + "?tenant_id=" + tenant, Map.of()).statusCode();
  }

  /** An attempt that the relay does not answer, on an account that has one connection. */
  private static void block(String tenant, String id) {
    long before = relay.count("MAIL FROM:<HANG@");
    proxy.relayAccount(tenant, "slow", relay.port(), "max_connections", 1);
    proxy.submit(message(tenant, "slow", id, "from", "hang@x.test"));
    await().untilAsserted(() -> assertThat(relay.count("MAIL FROM:<HANG@")).isGreaterThan(before));
  }

  private static long pending() {
    return Math.round(Metrics.of(proxy).of("gmp_pending_messages"));
  }

  private static long rows(String sql) {
    try (Connection connection = TestStore.connect(home);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getLong(1);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<String> ids(JsonNode list) {
    return list.path("messages").valueStream().map(m -> m.path("id").asText()).toList();
  }

  private static JsonNode list(String tenant, String query) {
    HttpResponse<String> answer = proxy.get("/messages?tenant_id=" + tenant + query);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return json(answer);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  @Test
  void what_is_deleted_leaves_nothing_whatever_its_state() {
    proxy.relayAccount("del", "a", relay.port());
    proxy.relayAccount("del2", "a", relay.port());
    proxy.submit(
        List.of(
            message("del", "a", "sent"),
            message("del", "a", "grey", "to", List.of("450@x.test", "550@x.test")),
            message("del", "a", "later", "deferred_ts", LATER),
            message("del", "a", "flying", "to", List.of("gate@x.test")),
            message("del", "a", "kept", "deferred_ts", LATER),
            message("del2", "a", "foreign", "deferred_ts", LATER)));
    History.awaitState(proxy, "del", "sent", "sent");
    History.awaitState(proxy, "del", "grey", "deferred");
    await().untilAsserted(() -> assertThat(relay.count("RCPT TO:<GATE@")).isEqualTo(1));
    block("del", "hanging");
    proxy.submit(message("del", "slow", "hot", "to", List.of("hot0@x.test")));
    long pending = pending();
    double late = late();

    JsonNode told =
        order(
            "del",
            "/commands/delete-messages",
            Map.of(
                "ids",
                List.of(
                    "hot", "sent", "grey", "later", "flying", "hanging", "", "sent", "nobody",
                    "foreign")));
    assertThat(told.toString())
        .isEqualTo(
            "{\"ok\":true,\"removed\":6,\"not_found\":[\"nobody\",\"foreign\"],\"unauthorized\":[]}");
    assertThat(ids(list("del", ""))).containsExactly("kept");
    assertThat(ids(list("del2", ""))).containsExactly("foreign");
    assertThat(pending()).isEqualTo(pending - 5);

    gate.countDown();
    relay.dropAll();
    await().untilAsserted(() -> assertThat(late()).isEqualTo(late + 2));
    for (String table : List.of("recipient", "event", "queue")) {
      assertThat(
              rows(
                  "SELECT count(*) FROM "
                      + table
                      + " WHERE message_pk <> 0 AND message_pk NOT IN (SELECT pk FROM message)"))
          .as(table)
          .isZero();
    }
    assertThat(pending()).isEqualTo(pending - 5);
    assertThat(relay.count("RCPT TO:<HOT0")).as("it waited behind the hanging relay").isZero();
    proxy.submit(message("del", "a", "sent"));
    History.awaitState(proxy, "del", "sent", "sent");

    HttpResponse<String> tooMany =
        proxy.post(
            "/commands/delete-messages?tenant_id=del",
            Map.of("ids", java.util.stream.IntStream.range(0, 10_001).mapToObj(i -> "x").toList()));
    assertThat(tooMany.statusCode()).isEqualTo(422);
    assertThat(status("nobody", "/commands/delete-messages")).isEqualTo(200);
    assertThat(order("del", "/commands/delete-messages", Map.of()).path("removed").intValue())
        .isZero();
    assertThat(
            proxy
                .post("/commands/delete-messages?tenant_id=del", Map.of("ids", List.of(1)))
                .statusCode())
        .isEqualTo(422);
  }

  /** Attempts that ended when their message was gone: with a result, or before the body left. */
  private static double late() {
    Metrics metrics = Metrics.of(proxy);
    return metrics.sum("remote_delivery_attempts_total", "result=\"unknown_report_code\"")
        + metrics.sum("remote_delivery_attempts_total", "result=\"pause\"");
  }

  @Test
  void pages_bring_every_message_once_in_order_while_others_come() {
    proxy.relayAccount("pages", "a", relay.port());
    List<String> expected = new ArrayList<>();
    List<Map<String, Object>> messages = new ArrayList<>();
    for (int i = 0; i < 250; i++) {
      messages.add(
          message(
              "pages", "a", "m-" + i, "deferred_ts", LATER, "priority", i % 3, "batch_code", "b"));
    }
    proxy.submit(messages);
    for (int level = 0; level < 3; level++) {
      for (int i = level; i < 250; i += 3) {
        expected.add("m-" + i);
      }
    }
    assertThat(ids(list("pages", ""))).isEqualTo(expected);
    assertThat(list("pages", "").has("next_cursor")).isFalse();
    assertThat(list("pages", "&limit=250").has("next_cursor")).isFalse();

    List<String> seen = new ArrayList<>();
    String cursor = "";
    int pages = 0;
    while (cursor != null) {
      JsonNode page = list("pages", "&limit=40" + cursor);
      assertThat(page.path("messages")).hasSizeLessThanOrEqualTo(40);
      seen.addAll(ids(page));
      cursor = page.has("next_cursor") ? "&cursor=" + page.path("next_cursor").asText() : null;
      pages++;
      proxy.submit(
          message("pages", "a", "n-" + pages, "deferred_ts", LATER, "priority", pages % 3));
    }
    assertThat(pages).isEqualTo(7);
    assertThat(seen).filteredOn(id -> id.startsWith("m")).isEqualTo(expected);
    assertThat(seen).doesNotHaveDuplicates();

    String ours = list("pages", "&limit=40").path("next_cursor").asText();
    String forged = (ours.charAt(0) == 'B' ? "C" : "B") + ours.substring(1);
    for (String query :
        List.of(
            "pages&cursor=" + forged,
            "pages&cursor=x",
            "pages&cursor=%2F%2F",
            "pages&active_only=1&cursor=" + ours,
            "pages&batch_code=b&cursor=" + ours,
            "del2&cursor=" + ours,
            "pages&limit=0",
            "pages&limit=1001",
            "pages&limit=-1",
            "pages&limit=ten")) {
      assertThat(proxy.get("/messages?tenant_id=" + query).statusCode()).as(query).isEqualTo(422);
    }
    assertThat(ids(list("pages", "&sort=password&limit=3&cursor=" + ours))).hasSize(3);
  }

  @Test
  void filters_find_what_they_say() {
    proxy.relayAccount("filters", "a", relay.port());
    proxy.relayAccount("filters", "z", relay.port());
    proxy.post("/commands/suspend?tenant_id=filters&batch_code=stopped", Map.of());
    proxy.submit(
        List.of(
            message("filters", "a", "sent", "to", List.of("Some.One@x.test", "two@x.test")),
            message("filters", "a", "error", "to", List.of("two@x.test", "550@x.test")),
            message("filters", "a", "grey", "to", List.of("450@x.test")),
            message("filters", "z", "later", "deferred_ts", LATER, "batch_code", "b"),
            message("filters", "a", "held", "batch_code", "stopped")));
    History.awaitState(proxy, "filters", "sent", "sent");
    History.awaitState(proxy, "filters", "error", "error");
    History.awaitState(proxy, "filters", "grey", "deferred");
    block("filters", "sending");
    proxy.submit(message("filters", "slow", "pending", "batch_code", "b"));

    assertThat(ids(list("filters", "&status=sent"))).containsExactly("sent");
    assertThat(ids(list("filters", "&status=error"))).containsExactly("error");
    assertThat(ids(list("filters", "&status=held"))).containsExactly("held");
    assertThat(ids(list("filters", "&status=deferred"))).containsExactly("grey", "later");
    assertThat(ids(list("filters", "&status=pending"))).containsExactly("sending", "pending");
    assertThat(ids(list("filters", "&active_only=true&limit=9")))
        .containsExactly("grey", "later", "held", "sending", "pending");
    assertThat(ids(list("filters", "&account_id=z"))).containsExactly("later");
    assertThat(ids(list("filters", "&batch_code=b"))).containsExactly("later", "pending");
    assertThat(ids(list("filters", "&batch_code=b&status=pending"))).containsExactly("pending");
    assertThat(ids(list("filters", "&recipient=" + encoded("sOME.oNE@X.test"))))
        .containsExactly("sent");
    assertThat(ids(list("filters", "&recipient=" + encoded("two@x.test") + "&status=error")))
        .containsExactly("error");
    assertThat(ids(list("filters", "&recipient=" + encoded("wo@x.test")))).isEmpty();
    long now = System.currentTimeMillis() / 1000;
    assertThat(ids(list("filters", "&since_ts=" + (now - 600) + "&until_ts=" + (now + 600))))
        .hasSize(7);
    assertThat(ids(list("filters", "&since_ts=" + (now + 600)))).isEmpty();
    assertThat(ids(list("filters", "&until_ts=" + (now - 600)))).isEmpty();
    for (String wrong :
        List.of("status=all", "since_ts=now", "until_ts=-1", "recipient=a%20b", "batch_code=%00")) {
      assertThat(proxy.get("/messages?tenant_id=filters&" + wrong).statusCode())
          .as(wrong)
          .isEqualTo(422);
    }
    relay.dropAll();
  }

  @Test
  void orders_on_one_message_catch_it_wherever_it_waits() {
    proxy.relayAccount("one", "a", relay.port());
    block("one", "hanging");
    proxy.submit(
        List.of(
            message("one", "slow", "hot", "to", List.of("hot1@x.test")),
            message("one", "slow", "held", "to", List.of("hot2@x.test")),
            message("one", "a", "grey", "to", List.of("grey1+r@x.test")),
            message("one", "a", "later", "deferred_ts", LATER),
            message("one", "a", "sent")));
    History.awaitState(proxy, "one", "grey", "deferred");
    History.awaitState(proxy, "one", "sent", "sent");
    long pending = pending();

    assertThat(order("one", "/messages/hot/cancel", Map.of()).toString())
        .isEqualTo("{\"ok\":true}");
    assertThat(proxy.state("one", "hot")).isEqualTo("error");
    assertThat(History.types(proxy, "one", "hot")).containsExactly("cancelled", "error");
    assertThat(History.recipients(proxy, "one", "hot")).containsExactly("hot1@x.test cancelled 0");
    assertThat(pending()).isEqualTo(pending - 1);
    order("one", "/messages/held/hold", Map.of());
    order("one", "/messages/held/hold", Map.of());
    proxy.submit(
        message("one", "slow", "held", "to", List.of("hot2@x.test"), "subject", "Another text"));
    assertThat(json(proxy.get("/messages/held?tenant_id=one")).path("waiting").toString())
        .isEqualTo("{\"state\":\"held\",\"rule\":\"__default\",\"reason\":\"manual\"}");
    for (String what : List.of("retry", "cancel", "hold", "release")) {
      assertThat(status("one", "/messages/hanging/" + what))
          .as("under way: " + what)
          .isEqualTo(409);
      assertThat(status("one", "/messages/sent/" + what)).as("finished: " + what).isEqualTo(409);
      assertThat(status("one", "/messages/nobody/" + what)).isEqualTo(404);
      assertThat(status("two", "/messages/grey/" + what)).as("foreign: " + what).isEqualTo(404);
    }
    assertThat(status("one", "/messages/grey/release")).as("not held").isEqualTo(409);

    order("one", "/messages/grey/retry", Map.of());
    order("one", "/messages/later/hold", Map.of());
    order("one", "/messages/later/retry", Map.of());
    History.awaitState(proxy, "one", "grey", "sent");
    assertThat(History.attempts(proxy, "one", "grey")).containsExactly(1, 2);
    History.awaitState(proxy, "one", "later", "sent");
    relay.dropAll();

    JsonNode first = list("one", "&limit=2");
    proxy.close();
    proxy = TestProxy.start(home, SETTINGS);
    assertThat(ids(list("one", "&limit=1&cursor=" + first.path("next_cursor").asText())))
        .as("a cursor outlives the process")
        .containsExactly(ids(list("one", "")).get(2));
    assertThat(ids(list("one", "&status=held"))).containsExactly("held");
    assertThat(relay.count("RCPT TO:<HOT")).as("neither was sent meanwhile").isZero();
    order("one", "/messages/held/release", Map.of());
    History.awaitState(proxy, "one", "held", "sent");
    assertThat(relay.count("RCPT TO:<HOT1")).isZero();
  }

  @Test
  void orders_on_many_say_first_how_many_and_spare_the_others() {
    proxy.relayAccount("many", "a", relay.port());
    List<Map<String, Object>> messages = new ArrayList<>();
    for (int i = 0; i < 450; i++) {
      messages.add(message("many", "a", "m-" + i, "deferred_ts", LATER));
    }
    messages.add(message("many", "a", "other", "deferred_ts", LATER, "batch_code", "b"));
    messages.add(message("many", "a", "sent"));
    proxy.submit(messages);
    proxy.relayAccount("many2", "a", relay.port());
    proxy.submit(message("many2", "a", "foreign", "deferred_ts", LATER));
    History.awaitState(proxy, "many", "sent", "sent");
    long pending = pending();

    assertThat(bulk("cancel", true, Map.of("all", true))).isEqualTo(451);
    assertThat(bulk("cancel", true, Map.of("batch_code", "b"))).isEqualTo(1);
    assertThat(bulk("cancel", true, Map.of("status", "sent"))).isZero();
    assertThat(pending()).isEqualTo(pending);
    assertThat(bulk("hold", false, Map.of("ids", List.of("m-1", "m-2", "sent", "foreign"))))
        .isEqualTo(2);
    assertThat(ids(list("many", "&status=held"))).containsExactly("m-1", "m-2");
    assertThat(bulk("release", false, Map.of("all", true))).isEqualTo(2);
    assertThat(bulk("retry", false, Map.of("batch_code", "b"))).isEqualTo(1);
    History.awaitState(proxy, "many", "other", "sent");
    assertThat(bulk("cancel", false, Map.of("status", "deferred", "account_id", "a")))
        .isEqualTo(450);
    assertThat(ids(list("many", "&active_only=true"))).isEmpty();
    assertThat(list("many", "&status=error").path("messages")).hasSize(450);
    assertThat(pending()).isEqualTo(pending - 451);
    assertThat(proxy.state("many2", "foreign")).isEqualTo("deferred");

    for (Object wrong :
        List.of(
            Map.of(),
            Map.of("filter", Map.of()),
            Map.of("filter", Map.of("all", false)),
            Map.of("filter", Map.of("acount_id", "a", "all", true)),
            Map.of("filter", Map.of("status", "any")),
            Map.of("filter", Map.of("account_id", "")),
            Map.of("filter", Map.of("all", true), "dry_run", "yes"))) {
      assertThat(proxy.post("/commands/cancel-messages?tenant_id=many2", wrong).statusCode())
          .as(wrong.toString())
          .isEqualTo(422);
    }
  }

  private static int bulk(String what, boolean dry, Map<String, Object> filter) {
    return order(
            "many", "/commands/" + what + "-messages", Map.of("filter", filter, "dry_run", dry))
        .path("count")
        .intValue();
  }

  @Test
  void a_message_tells_its_whole_story() {
    try (TestApplication application = new TestApplication()) {
      proxy.post("/tenant", Map.of("id", "story", "client_base_url", application.url()));
      proxy.relayAccount("story", "a", relay.port());
      proxy.send(
          proxy
              .request("/throttle-rules")
              .header("Content-Type", "application/json")
              .PUT(
                  HttpRequest.BodyPublishers.ofString(
                      "{\"throttle_rules\":[{\"name\":\"ruled\",\"domains\":[\"ruled.test\"]}]}"))
              .build());
      proxy.submit(
          List.of(
              message("story", "a", "grey", "to", List.of("450@x.test"), "expires_ts", LATER),
              message("story", "a", "two", "to", List.of("550@x.test", "450@ruled.test")),
              message("story", "a", "sent")));
      for (String id : List.of("grey", "two")) {
        History.awaitState(proxy, "story", id, "deferred");
      }
      await()
          .untilAsserted(
              () ->
                  assertThat(detail("sent").path("reports").path(0).path("state").asText())
                      .isEqualTo("acknowledged"));

      JsonNode grey = detail("grey");
      assertThat(grey.path("attempts").intValue()).isEqualTo(1);
      assertThat(grey.path("attempts_left").intValue()).isEqualTo(5);
      assertThat(grey.path("expires_ts").longValue()).isEqualTo(LATER);
      assertThat(grey.path("events").path(0).path("metadata").path("recipients").toString())
          .contains("\"reply\":\"as asked\"", "\"phase\":\"rcpt\"", "\"address\":\"450@x.test\"");
      JsonNode sent = detail("sent");
      assertThat(sent.path("attempts").intValue()).isEqualTo(1);
      assertThat(sent.has("attempts_left")).isFalse();
      assertThat(sent.path("reports").path(0).path("reported_ts").longValue()).isPositive();
      await()
          .untilAsserted(
              () ->
                  assertThat(History.types(proxy, "story", "two"))
                      .as("an attempt after which others go on is told as well")
                      .containsExactlyInAnyOrder("attempt", "deferred"));
      JsonNode events = json(proxy.get("/messages/two/events?tenant_id=story"));
      assertThat(events.path("ok").asBoolean()).isTrue();
      assertThat(events.path("events")).isEqualTo(detail("two").path("events"));
      assertThat(proxy.get("/messages/two/events?tenant_id=one").statusCode()).isEqualTo(404);

      String cleanup = "/commands/cleanup-messages";
      proxy.relayAccount("quiet", "a", relay.port());
      proxy.submit(message("quiet", "a", "unreported"));
      History.awaitState(proxy, "quiet", "unreported", "sent");
      HttpResponse<String> week =
          proxy.send(
              proxy
                  .request(cleanup + "?tenant_id=story")
                  .POST(HttpRequest.BodyPublishers.noBody())
                  .build());
      assertThat(week.body()).isEqualTo("{\"ok\":true,\"removed\":0}");
      Map<String, Object> all = Map.of("older_than_seconds", -5);
      assertThat(order("story", cleanup, all).path("removed").intValue()).isEqualTo(1);
      assertThat(ids(list("story", ""))).containsExactly("grey", "two");
      assertThat(order("quiet", cleanup, all).path("removed").intValue()).isZero();
      assertThat(
              proxy
                  .post(cleanup + "?tenant_id=story", Map.of("older_than_seconds", "all"))
                  .statusCode())
          .isEqualTo(422);
    }
  }

  private static JsonNode detail(String id) {
    return json(proxy.get("/messages/" + id + "?tenant_id=story"));
  }

  @Test
  void a_tenant_ends_with_all_that_is_its_own() {
    String token = json(proxy.post("/tenant", Map.of("id", "gone"))).path("api_key").textValue();
    proxy.relayAccount("gone", "a", relay.port());
    block("gone", "hanging");
    List<Map<String, Object>> messages = new ArrayList<>();
    for (int i = 0; i < 250; i++) {
      messages.add(message("gone", "a", "m-" + i, "deferred_ts", LATER));
    }
    messages.add(message("gone", "slow", "hot", "to", List.of("hot3@x.test")));
    proxy.submit(messages);
    proxy.post("/commands/suspend?tenant_id=gone&batch_code=b", Map.of());
    proxy.post("/commands/dump-messages?tenant_id=gone&batch_code=b", Map.of());
    long pending = pending();
    double late = late();

    assertThat(proxy.delete("/tenant/gone").body()).isEqualTo("{\"ok\":true}");
    for (String table :
        List.of("message", "account", "tenant_key", "suspension", "dump", "event")) {
      assertThat(rows("SELECT count(*) FROM " + table + " WHERE tenant_id = 'gone'"))
          .as(table)
          .isZero();
    }
    assertThat(pending()).isEqualTo(pending - 252);
    assertThat(json(proxy.get("/suspensions?tenant_id=gone")).findValues("tenant_id")).isEmpty();
    assertThat(proxy.get("/tenant/gone").statusCode()).isEqualTo(404);
    assertThat(proxy.delete("/tenant/gone").statusCode()).isEqualTo(404);
    HttpRequest own =
        HttpRequest.newBuilder(proxy.uri("/messages")).header("X-API-Token", token).build();
    assertThat(proxy.send(own).statusCode()).isEqualTo(401);
    relay.dropAll();
    await().untilAsserted(() -> assertThat(late()).isEqualTo(late + 1));
    assertThat(relay.count("RCPT TO:<HOT3")).isZero();
    assertThat(rows("SELECT count(*) FROM event WHERE tenant_id = 'gone' AND message_pk <> 0"))
        .isZero();

    assertThat(proxy.delete("/tenant/null").statusCode()).isEqualTo(404);
    proxy.post("/tenant", Map.of("id", "gone"));
    proxy.relayAccount("gone", "a", relay.port());
    proxy.submit(message("gone", "a", "m-1"));
    History.awaitState(proxy, "gone", "m-1", "sent");
  }
}
