package io.caravan.mailproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** routes/errors.camel.yaml: what becomes of what goes wrong; HTTP is BadInputTest's. */
class ErrorsTest {
  private static final String SAID = "ERROR mine failed, on with its next round: no";

  @TempDir Path home;

  @Test
  void a_round_of_a_loop_that_fails_is_told_and_the_next_one_comes_after_a_pause() {
    TestProxy.route(
        home,
        "mine.camel.yaml",
        """
        - route:
            id: mine
            routeConfigurationId: loop
            from:
              uri: timer:mine
              parameters: { delay: 0, period: 1 }
              steps:
                - throwException: { message: "no", exceptionType: java.lang.IllegalStateException }
        """);
    try (LogLines log = new LogLines();
        TestProxy proxy = TestProxy.start(home)) {
      await().untilAsserted(() -> assertThat(said(log)).isNotEmpty());
      long first = System.nanoTime();
      int rounds = said(log).size();
      await().untilAsserted(() -> assertThat(said(log)).hasSizeGreaterThanOrEqualTo(rounds + 2));

      assertThat(System.nanoTime() - first)
          .as("two more rounds are a second apart at the least")
          .isGreaterThan(TimeUnit.MILLISECONDS.toNanos(900));
      assertThat(proxy.get("/health").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void every_problem_has_one_form_and_a_name_that_stands_in_the_log() throws Exception {
    TestProxy.route(
        home,
        "mine.camel.yaml",
        """
        - route:
            id: mine
            routeConfigurationId: http
            from:
              uri: platform-http:/mine
              steps:
                - throwException: { message: "secret", exceptionType: java.lang.IllegalStateException }
        """);
    try (LogLines log = new LogLines();
        TestProxy proxy = TestProxy.start(home, "http.max-body-bytes", "1000")) {
      assertForm(proxy.get("/nothing"), 404, "not_found", "Not Found");
      assertForm(proxy.get("/account"), 405, "method_not_allowed", "Method Not Allowed");
      assertForm(proxy.post("/account", " ".repeat(1_001)), 413, "body_too_large", null);
      HttpRequest.Builder plain = proxy.request("/account").header("Content-Type", "text/plain");
      assertForm(
          proxy.send(plain.POST(HttpRequest.BodyPublishers.ofString("{}")).build()),
          415,
          "unsupported_media_type",
          null);
      assertForm(
          proxy.send(HttpRequest.newBuilder(proxy.uri("/status")).build()),
          401,
          "unauthorized",
          "Invalid or missing API token");
      JsonNode invalid = assertForm(proxy.post("/account", "{\"id\":5}"), 422, "invalid", null);
      assertThat(invalid.path("errors"))
          .hasToString(
              "[{\"pointer\":\"/id\",\"code\":\"string_type\","
                  + "\"detail\":\"Input should be a valid string\"}]");
      JsonNode query = assertForm(proxy.get("/accounts"), 422, "invalid", null);
      assertThat(query.path("errors").get(0).path("parameter").asText()).isEqualTo("tenant_id");
      JsonNode deep =
          assertForm(
              proxy.post("/commands/add-messages", "{\"messages\":[{\"to\":{}}]}"),
              422,
              "invalid",
              null);
      assertThat(deep.path("errors").get(0).path("pointer").asText()).isEqualTo("/messages/0/to");

      HttpResponse<String> wrong =
          proxy.send(proxy.request("/mine").header("X-Request-Id", "my-own.name_1").build());
      JsonNode failed = assertForm(wrong, 500, "internal_error", "Internal Server Error");
      assertThat(failed.path("request_id").asText()).isEqualTo("my-own.name_1");
      assertThat(log.lines()).anyMatch(line -> line.contains("request my-own.name_1 failed"));
      HttpResponse<String> odd =
          proxy.send(proxy.request("/health").header("X-Request-Id", "a b<c>").build());
      assertThat(odd.headers().firstValue("X-Request-Id").orElse("")).matches("[0-9a-f]{24}");
    }
  }

  private static JsonNode assertForm(
      HttpResponse<String> answer, int status, String code, @Nullable String detail) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    JsonNode body = TestProxy.json(answer);
    List<String> names = new ArrayList<>();
    body.fieldNames().forEachRemaining(names::add);
    names.remove("errors");
    assertThat(names).containsExactly("detail", "code", "title", "status", "request_id");
    assertThat(body.path("code").asText()).isEqualTo(code);
    assertThat(body.path("status").asInt()).isEqualTo(status);
    if (detail != null) {
      assertThat(body.path("detail").asText()).isEqualTo(detail);
    }
    assertThat(answer.headers().firstValue("X-Request-Id"))
        .hasValue(body.path("request_id").asText());
    assertThat(answer.headers().firstValue("Content-Type"))
        .hasValue(
            body.path("detail").isTextual() ? "application/problem+json" : "application/json");
    assertThat(body.has("errors")).isEqualTo(body.path("detail").isArray());
    return body;
  }

  private static List<String> said(LogLines log) {
    return log.lines().stream().filter(SAID::equals).toList();
  }
}
