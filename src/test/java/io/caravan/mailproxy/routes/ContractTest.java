package io.caravan.mailproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Access;
import io.caravan.mailproxy.http.Contract;
import io.caravan.mailproxy.http.Json;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** openapi.yaml against the table of operations, and each of its examples against a proxy. */
class ContractTest {
  private static final JsonNode DOCUMENT = Contract.document();
  private static final JsonSchemaFactory SCHEMAS =
      JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);

  @TempDir static Path home;
  private static TestProxy proxy;

  @BeforeAll
  static void start() {
    proxy = TestProxy.start(home);
  }

  @AfterAll
  static void stop() {
    proxy.close();
  }

  record Operation(String method, String path, JsonNode node, List<JsonNode> parameters) {
    String id() {
      return node.path("operationId").asText();
    }
  }

  private static List<Operation> all() {
    List<Operation> all = new ArrayList<>();
    DOCUMENT
        .path("paths")
        .properties()
        .forEach(
            path ->
                path.getValue()
                    .properties()
                    .forEach(
                        method -> {
                          if (!method.getKey().equals("parameters")) {
                            List<JsonNode> parameters = new ArrayList<>();
                            path.getValue().path("parameters").forEach(parameters::add);
                            method.getValue().path("parameters").forEach(parameters::add);
                            parameters.replaceAll(ContractTest::resolved);
                            all.add(
                                new Operation(
                                    method.getKey().toUpperCase(Locale.ROOT),
                                    path.getKey(),
                                    method.getValue(),
                                    parameters));
                          }
                        }));
    return all;
  }

  private static JsonNode resolved(JsonNode node) {
    return node.has("$ref") ? DOCUMENT.at(node.path("$ref").asText().substring(1)) : node;
  }

  static Stream<Arguments> operations() {
    return all().stream().map(operation -> Arguments.of(operation.id(), operation));
  }

  @Test
  void the_contract_and_the_table_have_the_same_operations() {
    Map<String, String> documented = new HashMap<>();
    for (Operation operation : all()) {
      documented.put(
          operation.id(),
          String.join(
              " ", operation.method(), operation.path(), operation.node().path("x-who").asText()));
      boolean open = operation.node().path("x-who").asText().equals("anybody");
      assertThat(operation.node().has("security")).as(operation.id()).isEqualTo(open);
      assertThat(operation.node().path("summary").asText()).as(operation.id()).isNotBlank();
    }
    Map<String, String> known = new HashMap<>();
    Access.table()
        .forEach(
            (id, operation) ->
                known.put(
                    id,
                    String.join(
                        " ",
                        operation.method(),
                        operation.path(),
                        operation.who().name().toLowerCase(Locale.ROOT))));
    assertThat(documented).isEqualTo(known);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("operations")
  void an_example_does_what_it_says(String id, Operation operation) {
    proxy.post("/tenant", Map.of("id", "acme"));
    proxy.sandboxAccount("acme", "relay");
    proxy.post("/commands/activate?tenant_id=acme", "");
    proxy.post(
        "/commands/add-messages",
        Map.of("messages", List.of(TestProxy.message("acme", "relay", "invoice-1001"))));
    await().until(() -> !proxy.state("acme", "invoice-1001").equals("pending"));

    HttpResponse<String> answer = proxy.send(example(operation));

    JsonNode documented =
        resolved(operation.node().path("responses").path(String.valueOf(answer.statusCode())));
    assertThat(documented.isMissingNode()).as(answer.body()).isFalse();
    String type = answer.headers().firstValue("Content-Type").orElse("").split(";", 2)[0];
    JsonNode content = documented.path("content").path(type);
    assertThat(content.isMissingNode()).as(type).isFalse();
    if (type.endsWith("json")) {
      assertThat(wrong(content.path("schema"), TestProxy.json(answer))).as(answer.body()).isEmpty();
    }
  }

  private static HttpRequest example(Operation operation) {
    String path = operation.path();
    List<String> query = new ArrayList<>();
    HttpRequest.Builder request = proxy.request("/");
    for (JsonNode parameter : operation.parameters()) {
      String name = parameter.path("name").asText();
      JsonNode value = parameter.path("example");
      assertThat(value.isMissingNode() && parameter.path("required").booleanValue())
          .as("required parameter %s without an example", name)
          .isFalse();
      if (value.isMissingNode()) {
        continue;
      }
      String text = URLEncoder.encode(value.asText(), StandardCharsets.UTF_8);
      switch (parameter.path("in").asText()) {
        case "path" -> path = path.replace("{" + name + "}", text);
        case "query" -> query.add(name + "=" + text);
        default -> request.header(name, value.asText());
      }
    }
    HttpRequest.BodyPublisher body = HttpRequest.BodyPublishers.noBody();
    if (operation.node().has("requestBody")) {
      JsonNode json = operation.node().at("/requestBody/content/application~1json");
      assertThat(json.has("example")).as("example of a body").isTrue();
      assertThat(wrong(json.path("schema"), json.path("example"))).isEmpty();
      request.header("Content-Type", "application/json");
      body = HttpRequest.BodyPublishers.ofString(Json.text(json.path("example")));
    }
    URI uri = proxy.uri(path + (query.isEmpty() ? "" : "?" + String.join("&", query)));
    return request.uri(uri).method(operation.method(), body).build();
  }

  private static Set<ValidationMessage> wrong(JsonNode schema, JsonNode value) {
    ObjectNode root = schema.deepCopy();
    root.set("components", DOCUMENT.path("components"));
    return SCHEMAS.getSchema(root).validate(value);
  }

  @Test
  void problems_have_the_form_of_the_contract() {
    JsonNode problem = DOCUMENT.at("/components/schemas/Problem");
    for (HttpResponse<String> answer :
        List.of(
            proxy.get("/messages"),
            proxy.get("/nothing"),
            proxy.get("/account"),
            proxy.get("/tenant/nobody"),
            proxy.post("/account", "{"),
            proxy.post("/commands/add-messages", "{\"messages\":[{}]}"))) {
      assertThat(answer.statusCode()).isBetween(400, 499);
      assertThat(wrong(problem, TestProxy.json(answer))).as(answer.body()).isEmpty();
    }
  }

  @Test
  void the_page_needs_nothing_from_elsewhere() {
    HttpResponse<String> page = proxy.get("/docs");
    assertThat(page.body()).doesNotContain("://").contains("swagger-ui-bundle.js");
    assertThat(page.headers().firstValue("Content-Security-Policy").orElse(""))
        .startsWith("default-src 'self'");
    Matcher reference = Pattern.compile("(?:href|src)=\"([^\"]+)\"").matcher(page.body());
    int files = 0;
    while (reference.find()) {
      assertThat(proxy.get("/" + reference.group(1)).statusCode()).isEqualTo(200);
      files++;
    }
    assertThat(files).isEqualTo(4);
    assertThat(proxy.get("/docs/start.js").body()).contains("\"openapi.json\"");
    assertThat(TestProxy.json(proxy.get("/openapi.json"))).isEqualTo(DOCUMENT);
    for (String file : List.of("openapi.yaml", "..%2Faccess.tsv", "access.tsv", "docs.html")) {
      assertThat(proxy.get("/docs/" + file).statusCode()).as(file).isEqualTo(404);
    }
  }
}
