package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.http.Access.Who.ANYBODY;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersionDetector;
import io.caravan.mailproxy.http.Access;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every route file, shipped or example (DESIGN.md, Layout). */
class RouteFilesTest {
  private static final Path SHIPPED = Path.of("routes");
  private static final Path EXAMPLES = Path.of("routes.d/examples");
  private static final String KEBAB = "[a-z0-9]+(-[a-z0-9]+)*";

  private static final int MAX_LINES = 120;
  private static final int MAX_ROUTES = 5;
  private static final int MAX_STEPS = 12;
  private static final int MAX_BRANCHES = 3;
  private static final Set<String> READ_NO_REQUEST = Set.of("status", "prometheus", "answers");

  /** Steps that take an address or a program from the exchange. */
  private static final Set<String> DYNAMIC =
      Set.of(
          "toD",
          "wireTap",
          "recipientList",
          "routingSlip",
          "dynamicRouter",
          "pollEnrich",
          "script");

  private static final Set<String> LANGUAGES = Set.of("simple", "constant");

  private static final YAMLMapper YAML = new YAMLMapper();

  static List<Path> files() {
    return Stream.concat(yaml(SHIPPED).stream(), yaml(EXAMPLES).stream()).toList();
  }

  /** The wiring map has beans only, and as many lines as it takes. */
  static List<Path> filesOfRoutes() {
    return files().stream().filter(file -> !file.endsWith("beans.camel.yaml")).toList();
  }

  private static List<Path> yaml(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(file -> file.toString().endsWith(".camel.yaml")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonNode read(Path file) {
    try {
      return YAML.readTree(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<JsonNode> all(Path file, String key) {
    return read(file).findValues(key).stream().filter(JsonNode::isObject).toList();
  }

  @ParameterizedTest
  @MethodSource("files")
  void it_is_valid_by_camels_schema(Path file) {
    assertThat(Schema.OF_CAMEL.validate(read(file))).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("filesOfRoutes")
  void it_is_short(Path file) throws IOException {
    assertThat(Files.readAllLines(file)).hasSizeLessThanOrEqualTo(MAX_LINES);
    assertThat(all(file, "route")).hasSizeLessThanOrEqualTo(MAX_ROUTES);
    for (JsonNode route : all(file, "route")) {
      assertThat(steps(route)).as(id(route)).hasSizeBetween(1, MAX_STEPS);
    }
  }

  @ParameterizedTest
  @MethodSource("filesOfRoutes")
  void every_route_has_a_description_and_every_id_is_kebab_case(Path file) {
    for (JsonNode route : all(file, "route")) {
      assertThat(route.path("description").asText()).as(id(route)).isNotBlank();
    }
    for (String id : ids(file)) {
      assertThat(id).matches(KEBAB);
    }
  }

  @ParameterizedTest
  @MethodSource("filesOfRoutes")
  void every_step_has_an_id(Path file) {
    for (JsonNode step : steps(read(file))) {
      assertThat(step.properties()).as(step.toString()).hasSize(1);
      JsonNode eip = step.properties().iterator().next().getValue();
      assertThat(eip.path("id").asText()).as(step.toString()).isNotEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("filesOfRoutes")
  void a_choice_has_three_branches_at_the_most(Path file) {
    for (JsonNode choice : all(file, "choice")) {
      int branches = choice.path("when").size() + (choice.has("otherwise") ? 1 : 0);
      assertThat(branches).as(choice.path("id").asText()).isLessThanOrEqualTo(MAX_BRANCHES);
    }
  }

  @ParameterizedTest
  @MethodSource("filesOfRoutes")
  void request_data_is_never_an_address_or_a_program(Path file) {
    walk(
        read(file),
        (key, value) -> {
          assertThat(DYNAMIC).doesNotContain(key);
          if (key.equals("uri")) {
            assertThat(value.asText()).doesNotContain("${");
          }
          if (key.equals("expression") || key.equals("correlationExpression")) {
            if (value.isObject()) {
              assertThat(LANGUAGES).containsAll(names(value));
            }
          }
        });
  }

  @ParameterizedTest
  @MethodSource("filesOfRoutes")
  void a_route_for_http_drops_the_requests_headers_first(Path file) {
    for (JsonNode route : all(file, "route")) {
      if (!route.path("from").path("uri").asText().startsWith("platform-http:")) {
        continue;
      }
      List<String> beans = new ArrayList<>();
      steps(route).forEach(step -> beans.add(step.path("bean").path("ref").asText()));
      if (!READ_NO_REQUEST.containsAll(beans)) {
        assertThat(beans).as(id(route)).startsWith("requests");
      }
      assertThat(route.path("routeConfigurationId").asText()).as(id(route)).isEqualTo("http");
    }
  }

  @Test
  void the_table_of_operations_has_every_route_for_http_and_each_asks_it_first() {
    Map<String, Access.Operation> left = new HashMap<>(Access.table());
    for (Path file : yaml(SHIPPED)) {
      for (JsonNode route : all(file, "route")) {
        JsonNode from = route.path("from");
        if (!from.path("uri").asText().startsWith("platform-http:")) {
          continue;
        }
        Access.Operation operation = left.remove(id(route));
        assertThat(operation).as(id(route)).isNotNull();
        assertThat(from.path("uri").asText()).isEqualTo("platform-http:" + operation.path());
        assertThat(from.path("parameters").path("httpMethodRestrict").asText())
            .as(id(route))
            .isEqualTo(operation.method());
        JsonNode second = from.path("steps").path(1).path("bean");
        assertThat(second.path("ref").asText() + "." + second.path("method").asText())
            .as(id(route))
            .matches(ask -> ask.equals("guard.admit") == (operation.who() != ANYBODY));
      }
    }
    assertThat(left).as("operations without a route").isEmpty();
  }

  @Test
  void no_id_stands_twice_whatever_example_is_in_use() {
    Map<String, Path> shipped = new TreeMap<>();
    yaml(SHIPPED).forEach(file -> shipped.put(file.getFileName().toString(), file));
    assertUnique(shipped);
    for (Path example : yaml(EXAMPLES)) {
      Map<String, Path> overlaid = new TreeMap<>(shipped);
      overlaid.put(example.getFileName().toString(), example);
      assertUnique(overlaid);
    }
  }

  @Test
  void every_route_configuration_that_is_named_exists() {
    Set<String> known = new HashSet<>();
    files().forEach(f -> all(f, "routeConfiguration").forEach(c -> known.add(id(c))));
    for (Path file : files()) {
      for (JsonNode route : all(file, "route")) {
        String named = route.path("routeConfigurationId").asText();
        assertThat(named.isEmpty() || known.contains(named)).as(id(route)).isTrue();
      }
    }
  }

  private static void assertUnique(Map<String, Path> files) {
    assertThat(files.values().stream().flatMap(file -> ids(file).stream())).doesNotHaveDuplicates();
  }

  private static List<String> ids(Path file) {
    List<String> ids = new ArrayList<>();
    walk(
        read(file),
        (key, value) -> {
          if (key.equals("id")) {
            ids.add(value.asText());
          }
        });
    return ids;
  }

  private static List<JsonNode> steps(JsonNode part) {
    List<JsonNode> steps = new ArrayList<>();
    walk(
        part,
        (key, value) -> {
          if (key.equals("steps")) {
            value.forEach(steps::add);
          }
        });
    return steps;
  }

  private static String id(JsonNode part) {
    return part.path("id").asText();
  }

  private static Set<String> names(JsonNode object) {
    Set<String> names = new HashSet<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static void walk(JsonNode node, BiConsumer<String, JsonNode> visitor) {
    node.properties().forEach(entry -> visitor.accept(entry.getKey(), entry.getValue()));
    node.forEach(child -> walk(child, visitor));
  }

  private static final class Schema {
    static final JsonSchema OF_CAMEL = load();

    private static JsonSchema load() {
      try (InputStream in = RouteFilesTest.class.getResourceAsStream("/schema/camelYamlDsl.json")) {
        JsonNode schema = new com.fasterxml.jackson.databind.ObjectMapper().readTree(in);
        return JsonSchemaFactory.getInstance(SpecVersionDetector.detect(schema)).getSchema(schema);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
