package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestApplication;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each file of routes.d/examples, put into a proxy's routes.d, does what it says. */
class ExamplesTest {
  private static final int NOBODY_LISTENS = 1;

  @TempDir Path home;
  private ScriptedSmtpServer relay;

  @BeforeEach
  void start() throws Exception {
    relay = new ScriptedSmtpServer();
  }

  @AfterEach
  void stop() throws Exception {
    relay.close();
  }

  @Test
  void mail_of_one_tenant_gets_a_header_and_another_account() throws Exception {
    TestProxy.example(home, "tenant-header-and-account/hooks.camel.yaml");
    try (ScriptedSmtpServer bulk = new ScriptedSmtpServer();
        TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "usual", relay.port());
      proxy.relayAccount("acme", "acme-bulk", bulk.port());
      proxy.relayAccount("other", "usual", relay.port());
      proxy.submit(List.of(message("acme", "usual", "a"), message("other", "usual", "o")));

      awaitState(proxy, "acme", "a", "sent");
      awaitState(proxy, "other", "o", "sent");
      assertThat(bulk.mails)
          .singleElement()
          .satisfies(mail -> assertThat(mail.content()).contains("X-Campaign: spring\r\n"));
      assertThat(relay.mails)
          .singleElement()
          .satisfies(mail -> assertThat(mail.content()).doesNotContain("X-Campaign"));
    }
  }

  @Test
  void events_of_one_tenant_also_go_to_a_file() throws Exception {
    TestProxy.example(home, "events-to-file/post-report.camel.yaml");
    try (TestApplication application = new TestApplication();
        TestProxy proxy = TestProxy.start(home, "sync.retry-delays", "0")) {
      application.refuse(1);
      for (String tenant : List.of("acme", "other")) {
        proxy.post("/tenant", Map.of("id", tenant, "client_base_url", application.url()));
        proxy.relayAccount(tenant, "usual", relay.port());
        proxy.submit(message(tenant, "usual", "m-" + tenant));
      }

      await()
          .untilAsserted(
              () ->
                  assertThat(application.events())
                      .extracting(event -> event.path("id").asText())
                      .containsExactlyInAnyOrder("m-acme", "m-other"));
      List<JsonNode> kept =
          Files.readAllLines(home.resolve("log/acme-events.jsonl")).stream()
              .flatMap(line -> items(Json.tree(line)))
              .toList();
      assertThat(kept).isNotEmpty().allMatch(event -> event.path("id").asText().equals("m-acme"));
    }
  }

  private static Stream<JsonNode> items(JsonNode report) {
    return report.path("delivery_report").valueStream();
  }

  @Test
  void a_stock_smtp_endpoint_gives_an_outcome_for_each_recipient() {
    TestProxy.example(home, "stock-smtp/hand-over.camel.yaml");
    try (TestProxy proxy =
        TestProxy.start(home, "relay.port", "" + relay.port(), "retry.jitter", "0")) {
      proxy.relayAccount("acme", "usual", NOBODY_LISTENS);
      proxy.submit(
          List.of(
              message("acme", "usual", "good", "subject", "Grüße"),
              message("acme", "usual", "refused", "to", List.of("550.5.1.1+a@x.test")),
              message("acme", "usual", "half", "to", List.of("b@x.test", "550.5.1.1+c@x.test")),
              message("acme", "usual", "later", "to", List.of("450.4.2.0+d@x.test"))));

      awaitState(proxy, "acme", "good", "sent");
      awaitState(proxy, "acme", "refused", "error");
      awaitState(proxy, "acme", "half", "error");
      awaitState(proxy, "acme", "later", "deferred");
      assertThat(proxy.message("acme", "refused").path("error").asText())
          .contains("550.5.1.1+a@x.test: 550");
      assertThat(recipients(proxy, "half"))
          .containsExactly("b@x.test sent", "550.5.1.1+c@x.test failed");
      assertThat(relay.mails)
          .extracting(ScriptedSmtpServer.Mail::to)
          .containsExactlyInAnyOrder(List.of("reader@example.test"), List.of("b@x.test"));
    }
  }

  @Test
  void a_stock_smtp_endpoint_that_nobody_answers_defers() {
    TestProxy.example(home, "stock-smtp/hand-over.camel.yaml");
    try (TestProxy proxy = TestProxy.start(home, "relay.port", "" + NOBODY_LISTENS)) {
      proxy.relayAccount("acme", "usual", relay.port());
      proxy.submit(message("acme", "usual", "m"));

      awaitState(proxy, "acme", "m", "deferred");
      assertThat(recipients(proxy, "m")).containsExactly("reader@example.test pending");
      assertThat(relay.connections).hasValue(0);
    }
  }

  @Test
  void mail_goes_to_files_instead_of_a_relay() throws Exception {
    TestProxy.example(home, "mail-to-files/hand-over.camel.yaml");
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "usual", NOBODY_LISTENS);
      proxy.submit(message("acme", "usual", "../m"));

      awaitState(proxy, "acme", "../m", "sent");
      try (Stream<Path> files = Files.list(home.resolve("data/outgoing"))) {
        assertThat(files)
            .singleElement()
            .satisfies(
                file -> {
                  assertThat(file.toString()).endsWith(".eml");
                  assertThat(file).content().contains("X-Genro-Mail-ID: ../m");
                });
      }
    }
  }

  @Test
  void a_450_is_a_failure() {
    TestProxy.example(home, "fail-on-450/retry.camel.yaml");
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "usual", relay.port());
      proxy.submit(
          List.of(
              message("acme", "usual", "final", "to", List.of("450.4.2.0+a@x.test")),
              message("acme", "usual", "usual", "to", List.of("451.4.3.0+b@x.test")),
              message("acme", "usual", "never", "to", List.of("550.5.1.1+c@x.test"))));

      awaitState(proxy, "acme", "final", "error");
      awaitState(proxy, "acme", "usual", "deferred");
      awaitState(proxy, "acme", "never", "error");
      assertThat(proxy.message("acme", "final").path("error").asText())
          .isEqualTo("450.4.2.0+a@x.test: 450 4.2.0 as asked");
    }
  }

  @Test
  void one_account_has_its_own_schedule() {
    TestProxy.example(home, "account-schedule/retry.camel.yaml");
    try (TestProxy proxy = TestProxy.start(home, "retry.delays", "900", "retry.jitter", "0")) {
      for (String account : List.of("usual", "slow-relay")) {
        proxy.relayAccount("acme", account, relay.port());
        proxy.submit(
            message("acme", account, "via-" + account, "to", List.of("450.4.2.0+a@x.test")));
        awaitState(proxy, "acme", "via-" + account, "deferred");
      }

      assertThat(delaySeconds(proxy, "via-usual")).isEqualTo(900);
      assertThat(delaySeconds(proxy, "via-slow-relay")).isEqualTo(60);
    }
  }

  private static long delaySeconds(TestProxy proxy, String id) {
    JsonNode deferred = proxy.message("acme", id).path("history").get(0);
    long next = deferred.path("metadata").path("next_attempt_at").longValue() / 1000;
    return next - deferred.path("event_ts").longValue();
  }

  @Test
  void batches_are_taken_in_from_a_folder() throws Exception {
    TestProxy.example(home, "folder-intake/intake-folder.camel.yaml");
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "usual", relay.port());
      drop("good.json", Json.text(Map.of("messages", List.of(message("acme", "usual", "m")))));
      drop("no-json.json", "{\"messages\": [");
      drop("refused.json", Json.text(Map.of("messages", List.of(message("acme", "none", "n")))));

      Path folder = home.resolve("intake");
      await()
          .untilAsserted(
              () -> {
                assertThat(folder.resolve(".done/good.json")).exists();
                assertThat(folder.resolve(".error/no-json.json")).exists();
                assertThat(folder.resolve(".error/refused.json")).exists();
              });
      awaitState(proxy, "acme", "m", "sent");
      assertThat(relay.mails).hasSize(1);
    }
  }

  private void drop(String name, String text) throws IOException {
    Path folder = Files.createDirectories(home.resolve("intake"));
    Files.move(Files.writeString(folder.resolve(name + ".part"), text), folder.resolve(name));
  }

  @Test
  void a_resource_of_the_api_is_switched_off() {
    TestProxy.example(home, "no-tenants-api/api-tenants.camel.yaml");
    try (TestProxy proxy = TestProxy.start(home)) {
      assertThat(proxy.post("/tenant", Map.of("id", "acme")).statusCode()).isEqualTo(404);
      assertThat(proxy.get("/accounts?tenant_id=acme").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void reports_are_switched_off_and_made_up_for_later() throws Exception {
    try (TestApplication application = new TestApplication()) {
      TestProxy.example(home, "no-reports/report.camel.yaml");
      try (TestProxy proxy = TestProxy.start(home, "health.stall-seconds", "0")) {
        proxy.post("/tenant", Map.of("id", "acme", "client_base_url", application.url()));
        proxy.relayAccount("acme", "usual", relay.port());
        proxy.submit(message("acme", "usual", "m"));
        awaitState(proxy, "acme", "m", "sent");
        assertThat(
                TestProxy.json(proxy.get("/health/ready"))
                    .path("checks")
                    .path("report-loop")
                    .toString())
            .contains("ok", "switched off");
      }
      assertThat(application.events()).isEmpty();

      Files.delete(home.resolve("routes.d/report.camel.yaml"));
      try (TestProxy proxy = TestProxy.start(home)) {
        await().untilAsserted(() -> assertThat(application.events()).hasSize(1));
        assertThat(proxy.state("acme", "m")).isEqualTo("sent");
      }
    }
  }

  private static void awaitState(TestProxy proxy, String tenant, String id, String state) {
    await()
        .untilAsserted(
            () ->
                assertThat(proxy.state(tenant, id))
                    .as(proxy.message(tenant, id).toString())
                    .isEqualTo(state));
  }

  private static List<String> recipients(TestProxy proxy, String id) {
    return proxy
        .message("acme", id)
        .path("recipients")
        .valueStream()
        .map(r -> r.path("address").asText() + " " + r.path("status").asText())
        .toList();
  }
}
