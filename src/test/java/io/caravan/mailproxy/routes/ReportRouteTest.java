package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Delivery reports: every event reaches the application, whatever its endpoint does meanwhile. */
class ReportRouteTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir static Path home;
  @TempDir static Path quickHome;
  private static TestProxy proxy;

  /** One with an interval of a second. */
  private static TestProxy quick;

  private static int tenants;

  private final String tenant = "t" + tenants++;
  private SyncEndpoint endpoint;

  @BeforeAll
  static void start() {
    proxy =
        TestProxy.start(
            home, "sync.retry-delays", "0", "sync.interval", "3600", "sync.timeout-seconds", "3");
    quick = TestProxy.start(quickHome, "sync.interval", "1");
  }

  @AfterAll
  static void stop() {
    proxy.close();
    quick.close();
  }

  @BeforeEach
  void open() throws Exception {
    endpoint = new SyncEndpoint();
  }

  @AfterEach
  void close() {
    // Else the loop would go on calling what is gone.
    proxy.post("/tenant", Map.of("id", tenant, "active", false));
    quick.post("/tenant", Map.of("id", tenant, "active", false));
    endpoint.close();
  }

  private void tenant(Object... more) {
    Map<String, Object> all = new java.util.HashMap<>(endpoint.tenant(tenant));
    for (int i = 0; i < more.length; i += 2) {
      all.put((String) more[i], more[i + 1]);
    }
    assertThat(proxy.post("/tenant", all).statusCode()).isEqualTo(200);
    proxy.sandboxAccount(tenant, "main");
  }

  private void send(String id) {
    proxy.submit(message(tenant, "main", id));
  }

  private boolean reported(String id) {
    return proxy.message(tenant, id).has("reported_ts");
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        Arguments.of("F33 500", SyncEndpoint.answer(500, "{\"ok\":true}")),
        Arguments.of("F33 404", SyncEndpoint.answer(404, "")),
        Arguments.of("F33 410", SyncEndpoint.answer(410, "")),
        Arguments.of("F33 429", SyncEndpoint.answer(429, "")),
        Arguments.of("F33 304", SyncEndpoint.answer(304, "")),
        Arguments.of("F37 text", SyncEndpoint.answer(200, "thanks")),
        Arguments.of("F37 list", SyncEndpoint.answer(200, "[]")),
        Arguments.of("F37 cut off", SyncEndpoint.answer(200, "{\"ok\":")),
        Arguments.of("ok: false", SyncEndpoint.answer(200, "{\"ok\":false}")),
        Arguments.of("F36 301", redirect(301)),
        Arguments.of("F36 302", redirect(302)),
        Arguments.of("F36 307", redirect(307)),
        Arguments.of("F36 308", redirect(308)),
        Arguments.of(
            "too long to be read",
            SyncEndpoint.answer(200, "{\"a\":\"" + "x".repeat(70_000) + "\"}")));
  }

  private static SyncEndpoint.Reply redirect(int status) {
    return call ->
        SyncEndpoint.answer(
                status, "", "Location", "http:/" + call.getLocalAddress() + "/elsewhere")
            .to(call);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void what_is_not_acknowledged_is_told_again(String name, SyncEndpoint.Reply refusal) {
    endpoint.then(refusal).then(refusal);
    tenant("client_auth", Map.of("method", "bearer", "token", "s3cret"));
    send("m");

    await().atMost(SOON).until(() -> reported("m"));
    assertThat(endpoint.told("m")).isEqualTo(3);
    assertThat(endpoint.calls)
        .allSatisfy(
            call -> {
              assertThat(call.path()).isEqualTo("/mail-proxy/sync");
              assertThat(call.authorization()).isEqualTo("Bearer s3cret");
            });
  }

  @Test
  void F34_F35_endpoints_without_an_end_are_left_and_harm_no_other_tenant() throws Exception {
    endpoint.then(endpoint.hang()).then(endpoint.endless(" ")).then(endpoint.endless("{\"a\":1"));
    tenant();
    send("m");
    await().atMost(SOON).until(() -> endpoint.told("m") == 1);

    try (SyncEndpoint other = new SyncEndpoint()) {
      proxy.post("/tenant", other.tenant("other"));
      proxy.sandboxAccount("other", "main");
      proxy.submit(message("other", "main", "o"));
      await().atMost(SOON).until(() -> proxy.message("other", "o").has("reported_ts"));
      assertThat(other.told("o")).isEqualTo(1);
      proxy.post("/tenant", Map.of("id", "other", "active", false));
    }
    await().atMost(SOON).until(() -> reported("m"));
    assertThat(endpoint.told("m")).isEqualTo(4);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{}",
        "{\"ok\":true}",
        "{\"ok\":null,\"error\":[\"m\"],\"not_found\":[\"m\",\"nobody\"]}",
        "{\"queued\":\"3\"}",
        "{\"queued\":-7}",
        "{\"queued\":1e308}",
        "{\"next_sync_after\":NaN}",
        "{\"next_sync_after\":Infinity}",
        "{\"next_sync_after\":\"soon\"}",
        "{\"next_sync_after\":[]}"
      })
  void any_object_that_does_not_say_no_is_an_acknowledgement(String body) {
    endpoint.then(200, body);
    tenant();
    send("m");

    await().atMost(SOON).until(() -> reported("m"));
    assertThat(endpoint.told("m")).isEqualTo(1);
  }

  @Test
  void an_active_tenant_is_called_at_the_start_without_reports_an_inactive_one_is_not() {
    tenant();
    await().atMost(SOON).until(() -> endpoint.emptyCalls() == 1);
    assertThat(endpoint.calls.get(0).body().toString()).isEqualTo("{\"delivery_report\":[]}");
    assertThat(endpoint.calls.get(0).contentType()).isEqualTo("application/json");

    proxy.post("/commands/run-now", "{}");
    await().atMost(SOON).until(() -> endpoint.emptyCalls() == 2);

    tenant("active", false);
    proxy.post("/commands/run-now", "{}");
    send("m");
    await().atMost(SOON).until(() -> reported("m"));
    assertThat(endpoint.emptyCalls()).isEqualTo(2);
  }

  @Test
  void queued_asks_for_the_next_call_at_once() {
    endpoint.then(200, "{\"ok\":true,\"queued\":5}");
    tenant("active", true);
    await().atMost(SOON).until(() -> endpoint.emptyCalls() == 1);
    send("m");

    await().atMost(SOON).until(() -> endpoint.emptyCalls() == 2);
    assertThat(endpoint.told("m")).isEqualTo(1);
  }

  @Test
  void the_fields_of_all_kinds_of_events() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      tenant();
      proxy.relayAccount(tenant, "relay", relay.port());
      long before = Instant.now().getEpochSecond();
      proxy.submit(
          List.of(
              message(tenant, "relay", "good"),
              message(tenant, "relay", "bad", "to", List.of("550@x.test")),
              message(tenant, "relay", "later", "to", List.of("450@x.test"))));
      await().atMost(SOON).until(() -> endpoint.items().size() == 3);

      for (JsonNode item : endpoint.items()) {
        String id = item.path("id").asText();
        assertThat(item.path("tenant_id").asText()).isEqualTo(tenant);
        assertThat(item.path("pk").asText()).isEqualTo(pk(id));
        switch (id) {
          case "good" -> {
            assertThat(names(item)).containsExactlyInAnyOrder("id", "sent_ts", "tenant_id", "pk");
            assertThat(item.path("sent_ts").isIntegralNumber()).isTrue();
            assertThat(item.path("sent_ts").asLong()).isGreaterThanOrEqualTo(before);
          }
          case "bad" -> {
            assertThat(names(item))
                .containsExactlyInAnyOrder("id", "error_ts", "error", "tenant_id", "pk");
            assertThat(item.path("error").asText()).contains("550@x.test").contains("550 ");
          }
          default -> {
            assertThat(names(item))
                .containsExactlyInAnyOrder(
                    "id", "deferred_ts", "deferred_reason", "tenant_id", "pk");
            assertThat(item.path("deferred_reason").asText()).contains("450 ");
            assertThat(item.path("deferred_ts").asLong())
                .as("the next attempt")
                .isGreaterThan(before + 30)
                .isEqualTo(proxy.message(tenant, "later").path("deferred_ts").asLong());
          }
        }
      }
    }
    assertThat(Metrics.of(proxy).of("mailproxy_report_seconds_count")).isPositive();
  }

  private String pk(String id) {
    return proxy.message(tenant, id).path("pk").asText();
  }

  private static List<String> names(JsonNode item) {
    return item.properties().stream().map(Map.Entry::getKey).toList();
  }

  static Stream<Arguments> credentials() {
    return Stream.of(
        Arguments.of(Map.of("method", "bearer", "token", "t"), "Bearer t"),
        Arguments.of(Map.of("method", "basic", "user", "u", "password", "p:ü"), "Basic dTpwOsO8"),
        Arguments.of(Map.of("method", "none", "token", "t"), null));
  }

  @ParameterizedTest
  @MethodSource("credentials")
  void the_call_has_the_tenants_credentials(Map<String, Object> auth, String authorization) {
    tenant(
        "client_auth", auth, "client_base_url", endpoint.url() + "//", "client_sync_path", "s/y");
    await().atMost(SOON).until(() -> !endpoint.calls.isEmpty());

    assertThat(endpoint.calls.get(0).authorization()).isEqualTo(authorization);
    assertThat(endpoint.calls.get(0).path()).isEqualTo("/s/y");
  }

  @Test
  void credentials_that_no_header_can_hold_stop_nobody_else() throws Exception {
    tenant("client_auth", Map.of("method", "bearer", "token", "ключ"));
    send("m");
    try (SyncEndpoint other = new SyncEndpoint()) {
      proxy.post("/tenant", other.tenant("another"));
      await().atMost(SOON).until(() -> other.emptyCalls() == 1);
      proxy.post("/tenant", Map.of("id", "another", "active", false));
    }
    assertThat(endpoint.calls).isEmpty();
    tenant();
    await().atMost(SOON).until(() -> reported("m"));
  }

  /**
   * What one answer does to the next calls: with an interval and back-off of a second and a half
   * hour.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "4102444800",
        "\"4102444800\"",
        "4102444800.5",
        "1e308",
        "9223372036854775807",
        "1e15"
      })
  void do_not_disturb_stops_empty_calls_alone(String until) {
    quick.sandboxAccount(tenant, "main");
    endpoint.then(200, "{\"ok\":true,\"next_sync_after\":" + until + "}");
    quick.submit(message(tenant, "main", "first"));
    quick.post("/tenant", endpoint.tenant(tenant));
    await().atMost(SOON).until(() -> quick.message(tenant, "first").has("reported_ts"));
    long empty = endpoint.emptyCalls();

    await().during(Duration.ofMillis(1500)).until(() -> endpoint.emptyCalls() == empty);
    quick.submit(message(tenant, "main", "second"));
    await().atMost(SOON).until(() -> endpoint.told("second") == 1);
    assertThat(endpoint.emptyCalls()).isEqualTo(empty);

    quick.post("/commands/run-now", "");
    await().atMost(SOON).until(() -> endpoint.emptyCalls() > empty + 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-5", "-1e308", "1", "\"NaN\"", "null"})
  void times_that_are_over_silence_nothing(String until) {
    quick.sandboxAccount(tenant, "main");
    endpoint.then(200, "{\"ok\":true,\"next_sync_after\":" + until + "}");
    quick.submit(message(tenant, "main", "first"));
    quick.post("/tenant", endpoint.tenant(tenant));
    await().atMost(SOON).until(() -> quick.message(tenant, "first").has("reported_ts"));
    long empty = endpoint.emptyCalls();

    await().atMost(SOON).until(() -> endpoint.emptyCalls() > empty);
  }

  static Stream<String> retryAfter() {
    return Stream.of(
        "3600",
        DateTimeFormatter.RFC_1123_DATE_TIME.format(
            Instant.now().plusSeconds(3600).atOffset(ZoneOffset.UTC)));
  }

  @ParameterizedTest
  @MethodSource("retryAfter")
  void F33_retry_after_is_obeyed(String retryAfter) {
    endpoint.then(SyncEndpoint.answer(429, "", "Retry-After", retryAfter));
    tenant();
    send("m");
    await().atMost(SOON).until(() -> endpoint.told("m") == 1);

    await().during(Duration.ofMillis(1500)).until(() -> endpoint.told("m") == 1);
    assertThat(reported("m")).isFalse();
    proxy.post("/commands/run-now", "");
    await().atMost(SOON).until(() -> reported("m"));
  }

  @Test
  void what_was_not_acknowledged_survives_a_restart(@TempDir Path folder) {
    endpoint.then(500, "");
    try (TestProxy first = TestProxy.start(folder, "sync.retry-delays", "3600")) {
      first.post("/tenant", endpoint.tenant(tenant));
      first.sandboxAccount(tenant, "main");
      first.submit(message(tenant, "main", "m"));
      await().atMost(SOON).until(() -> endpoint.told("m") == 1);
    }
    try (TestProxy second = TestProxy.start(folder)) {
      await().atMost(SOON).until(() -> second.message(tenant, "m").has("reported_ts"));
      assertThat(endpoint.told("m")).isEqualTo(2);
    }
  }

  @Test
  void a_call_that_breaks_off_in_a_route_is_told_and_made_again(@TempDir Path folder) {
    TestProxy.route(
        folder,
        "post-report.camel.yaml",
        """
        - route:
            id: post-report
            routeConfigurationId: inner
            from:
              uri: direct:post-report
              steps:
                - throwException: { message: "no", exceptionType: java.lang.IllegalStateException }
        """);
    try (LogLines log = new LogLines();
        TestProxy proxy =
            TestProxy.start(folder, "sync.retry-delays", "0", "telemetry.count-seconds", "1")) {
      proxy.post("/tenant", endpoint.tenant(tenant));
      proxy.sandboxAccount(tenant, "main");
      proxy.submit(message(tenant, "main", "m"));

      await()
          .atMost(SOON)
          .until(
              () ->
                  log.lines().stream()
                          .filter(("ERROR report to " + tenant + " failed: no")::equals)
                          .count()
                      >= 3);
      assertThat(proxy.message(tenant, "m").has("reported_ts")).isFalse();
      await()
          .atMost(SOON)
          .until(
              () ->
                  Metrics.of(proxy).of("event_delivery_queue_retry_count{destination=\"sync\"}")
                      == 1);
    }
  }

  @Test
  void a_route_of_ones_own_that_does_not_fail_has_taken_the_events(@TempDir Path folder) {
    TestProxy.route(
        folder,
        "post-report.camel.yaml",
        """
        - route:
            id: post-report
            routeConfigurationId: inner
            from:
              uri: direct:post-report
              steps:
                - setBody: { expression: { constant: { expression: thanks } } }
        """);
    try (TestProxy proxy = TestProxy.start(folder)) {
      proxy.post("/tenant", endpoint.tenant(tenant));
      proxy.sandboxAccount(tenant, "main");
      proxy.submit(message(tenant, "main", "m"));

      await().atMost(SOON).until(() -> proxy.message(tenant, "m").has("reported_ts"));
      assertThat(endpoint.calls).isEmpty();
    }
  }

  static Stream<Arguments> globalEndpoints() {
    return Stream.of(
        Arguments.of("tok", "u", "p", "Bearer tok"),
        Arguments.of("", "u", "p", "Basic dTpw"),
        Arguments.of("", "", "", null));
  }

  @ParameterizedTest
  @MethodSource("globalEndpoints")
  void tenants_without_an_endpoint_report_to_the_common_one(
      String token, String user, String password, String authorization, @TempDir Path folder)
      throws Exception {
    try (SyncEndpoint own = new SyncEndpoint();
        TestProxy proxy =
            TestProxy.start(
                folder,
                "client.sync-url",
                endpoint.url() + "/all",
                "client.sync-token",
                token,
                "client.sync-user",
                user,
                "client.sync-password",
                password)) {
      proxy.post("/tenant", own.tenant("own"));
      proxy.sandboxAccount("own", "main");
      proxy.sandboxAccount("unknown", "main");
      proxy.submit(message("own", "main", "o"));
      proxy.submit(message("unknown", "main", "u"));

      await().atMost(SOON).until(() -> own.told("o") == 1 && endpoint.told("u") == 1);
      assertThat(endpoint.told("o")).isZero();
      assertThat(endpoint.calls.get(0).path()).isEqualTo("/all");
      assertThat(endpoint.calls.get(0).authorization()).isEqualTo(authorization);
      assertThat(URI.create(endpoint.url()).getHost()).isEqualTo("127.0.0.1");
    }
  }
}
