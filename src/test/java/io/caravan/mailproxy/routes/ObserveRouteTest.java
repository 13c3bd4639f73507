package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What others may see: metrics under the documented names, health, status. */
class ObserveRouteTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir Path home;
  private TestProxy proxy;

  @BeforeEach
  void start() {
    proxy =
        TestProxy.start(
            home, "health.stall-seconds", "1", "retry.delays", "3600", "drain.seconds", "1");
  }

  @AfterEach
  void stop() {
    proxy.close();
  }

  private String metrics() {
    return proxy.get("/metrics").body();
  }

  private String documented() {
    return metrics().lines().filter(l -> l.contains("gmp_")).collect(Collectors.joining("\n"));
  }

  @Test
  void the_documented_families_are_written_as_documented() {
    assertThat(documented().lines().filter(line -> !line.startsWith("#")))
        .containsExactly("gmp_pending_messages 0.0");
    proxy.sandboxAccount("acme", "primary-smtp");
    proxy.sandboxAccount("acme", "bulk-smtp");
    proxy.sandboxAccount("beta", "bulk-smtp");
    proxy.submit(message("acme", "bulk-smtp", "a"));
    proxy.submit(message("beta", "bulk-smtp", "b"));
    proxy.submit(
        message("acme", "bulk-smtp", "c", "deferred_ts", Instant.now().getEpochSecond() + 9_999));

    String golden =
        """
        # HELP gmp_sent_total Total sent emails
        # TYPE gmp_sent_total counter
        gmp_sent_total{account_id="bulk-smtp"} 2.0
        gmp_sent_total{account_id="primary-smtp"} 0.0
        # HELP gmp_errors_total Total send errors
        # TYPE gmp_errors_total counter
        gmp_errors_total{account_id="bulk-smtp"} 0.0
        gmp_errors_total{account_id="primary-smtp"} 0.0
        # HELP gmp_deferred_total Total deferred emails
        # TYPE gmp_deferred_total counter
        gmp_deferred_total{account_id="bulk-smtp"} 0.0
        gmp_deferred_total{account_id="primary-smtp"} 0.0
        # HELP gmp_rate_limited_total Total rate limited occurrences
        # TYPE gmp_rate_limited_total counter
        gmp_rate_limited_total{account_id="bulk-smtp"} 0.0
        gmp_rate_limited_total{account_id="primary-smtp"} 0.0
        # HELP gmp_pending_messages Current pending messages
        # TYPE gmp_pending_messages gauge
        gmp_pending_messages 1.0""";
    await().atMost(SOON).untilAsserted(() -> assertThat(sorted(documented())).isEqualTo(golden));
    HttpResponse<String> answer = proxy.get("/metrics");
    assertThat(answer.headers().firstValue("Content-Type"))
        .hasValue("text/plain; version=0.0.4; charset=utf-8");
    assertThat(answer.body()).startsWith("# HELP gmp_sent_total").endsWith("\n");

    proxy.delete("/account/bulk-smtp?tenant_id=beta");
    assertThat(documented()).contains("gmp_sent_total{account_id=\"bulk-smtp\"} 2.0");
    proxy.delete("/account/primary-smtp?tenant_id=acme");
    assertThat(documented()).doesNotContain("primary-smtp").contains("bulk-smtp");
  }

  /** Series of one family in the order of their labels; the exposition leaves that order open. */
  private static String sorted(String text) {
    List<String> out = new ArrayList<>();
    List<String> family = new ArrayList<>();
    for (String line : text.lines().toList()) {
      if (line.startsWith("# HELP")) {
        family.stream().sorted().forEach(out::add);
        family.clear();
      }
      (line.startsWith("#") ? out : family).add(line);
    }
    out.addAll(family);
    return String.join("\n", out);
  }

  @Test
  void counters_are_what_the_store_says_after_a_mixed_load() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      proxy.relayAccount("acme", "main", relay.port());
      proxy.relayAccount("beta", "main", relay.port());
      List<Map<String, Object>> items = new ArrayList<>();
      for (int i = 0; i < 400; i++) {
        String to = i % 10 == 0 ? "550@x.test" : i % 10 == 1 ? "450@x.test" : "fine@x.test";
        items.add(message(i % 2 == 0 ? "acme" : "beta", "main", "m" + i, "to", List.of(to)));
      }
      proxy.submit(items);
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(documented())
                      .contains("gmp_sent_total{account_id=\"main\"} 320.0\n")
                      .contains("gmp_errors_total{account_id=\"main\"} 40.0\n")
                      .contains("gmp_deferred_total{account_id=\"main\"} 40.0\n")
                      .endsWith("gmp_pending_messages 40.0"));
      assertThat(count("event WHERE type = 'sent'")).isEqualTo(320);
      assertThat(count("event WHERE type = 'error'")).isEqualTo(40);
      assertThat(count("event WHERE type = 'deferred'")).isEqualTo(40);
      assertThat(count("queue")).isEqualTo(40);
      assertThat(json(proxy.get("/status")).path("pending_messages").asInt()).isEqualTo(40);
      assertThat(metrics())
          .contains("routeId=\"deliver-message\"")
          .containsPattern(
              "camel_exchanges_total\\{[^}]*routeId=\"deliver-message\"[^}]*\\} 400\\.0");
    }
  }

  private long count(String what) throws Exception {
    try (Connection connection = proxy.proxy().bean("reader", DataSource.class).getConnection();
        var rows = connection.createStatement().executeQuery("SELECT count(*) FROM " + what)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  @Test
  void other_meters_ride_along_and_every_line_is_well_formed() {
    proxy.sandboxAccount("acme", "a\"b\\c");
    proxy.submit(message("acme", "a\"b\\c", "m"));
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(metrics()).contains("gmp_sent_total{account_id=\"a\\\"b\\\\c\"} 1.0\n"));
    String text = metrics();

    assertThat(text)
        .contains(
            "# TYPE jvm_memory_used_bytes gauge", "jvm_threads_live", "process_uptime_seconds")
        .contains("camel_exchanges_succeeded_total{")
        .doesNotContain("camelContext", "camelcontext", "NaN{");
    String label = "[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\\n]|\\\\[\\\\\"n])*\"";
    String sample =
        "[a-zA-Z_:][a-zA-Z0-9_:]*(?:\\{"
            + label
            + "(?:,"
            + label
            + ")*\\})? "
            + "(?:-?\\d+\\.\\d+(?:E-?\\d+)?|NaN|[+-]Inf)";
    List<String> types = new ArrayList<>();
    for (String line : text.lines().toList()) {
      if (line.startsWith("# TYPE ")) {
        types.add(line.split(" ", -1)[2]);
      } else if (!line.startsWith("# HELP ")) {
        assertThat(line).matches(sample);
      }
    }
    assertThat(types).as("each family once").doesNotHaveDuplicates();
  }

  @Test
  void health_and_status_have_the_documented_forms() {
    assertThat(proxy.get("/health").body()).isEqualTo("{\"status\":\"ok\",\"ok\":true}");
    JsonNode status = json(proxy.get("/status"));
    assertThat(status.properties())
        .extracting(Map.Entry::getKey)
        .containsExactly("ok", "active", "scheduler_active", "pending_messages", "uptime_seconds");
    assertThat(status.path("uptime_seconds").isIntegralNumber()).isTrue();
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> {
              JsonNode ready = json(proxy.get("/health/ready"));
              assertThat(ready.path("status").asText()).isEqualTo("ok");
              assertThat(ready.path("checks").properties())
                  .extracting(Map.Entry::getKey)
                  .contains("database", "claim-loop", "report-loop");
            });
  }

  @ParameterizedTest
  @CsvSource({"claim-due, claim-loop, report-loop", "find-reports, report-loop, claim-loop"})
  void a_loop_that_stands_still_turns_readiness_red(String route, String check, String other)
      throws Exception {
    var routes = proxy.proxy().context().getRouteController();
    routes.stopRoute(route);
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> {
              HttpResponse<String> ready = proxy.get("/health/ready");
              assertThat(ready.statusCode()).isEqualTo(503);
              JsonNode checks = json(ready).path("checks");
              assertThat(checks.path(check).path("status").asText()).isEqualTo("down");
              assertThat(checks.path(check).path("reason").asText()).startsWith("no round for");
              assertThat(checks.path(other).path("status").asText()).isEqualTo("ok");
            });
    assertThat(proxy.get("/health").statusCode()).isEqualTo(200);

    routes.startRoute(route);
    await().atMost(SOON).until(() -> proxy.get("/health/ready").statusCode() == 200);
  }

  @Test
  void a_store_that_does_not_answer_turns_readiness_red_only() {
    proxy.proxy().bean("database", io.caravan.mailproxy.db.Database.class).close();

    HttpResponse<String> ready = proxy.get("/health/ready");
    assertThat(ready.statusCode()).isEqualTo(503);
    assertThat(json(ready).path("checks").path("database").path("status").asText())
        .isEqualTo("down");
    assertThat(ready.body()).doesNotContain("Exception", ".db");
    assertThat(proxy.get("/health").statusCode()).isEqualTo(200);
    assertThat(proxy.get("/metrics").statusCode()).isEqualTo(200);
  }
}
