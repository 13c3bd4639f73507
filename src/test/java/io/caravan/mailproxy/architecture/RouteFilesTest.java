package io.caravan.mailproxy.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The form of the shipped route files. */
class RouteFilesTest {
  private static final int MAX_ROUTES = 5;
  private static final int MAX_STEPS = 12;
  private static final String KEBAB_CASE = "[a-z][a-z0-9]*(-[a-z0-9]+)*";
  private static final ObjectMapper YAML = new YAMLMapper();

  static List<Path> files() throws IOException {
    try (Stream<Path> all = Files.list(Path.of("routes"))) {
      return all.filter(file -> file.toString().endsWith(".camel.yaml")).sorted().toList();
    }
  }

  @Test
  void files_are_valid_by_the_schema_of_the_camel_in_use() throws Exception {
    JsonSchema schema;
    try (InputStream in = getClass().getResourceAsStream("/schema/camelYamlDsl.json")) {
      schema = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V7).getSchema(in);
    }
    for (Path file : files()) {
      assertThat(schema.validate(tree(file))).as(file.toString()).isEmpty();
    }
  }

  @Test
  void ids_are_unique_and_in_kebab_case() throws Exception {
    Map<String, Path> known = new HashMap<>();
    for (Path file : files()) {
      for (JsonNode route : tree(file).findValues("route")) {
        for (JsonNode id : route.findValues("id")) {
          assertThat(id.textValue()).as(file.toString()).matches(KEBAB_CASE);
          assertThat(known.put(id.textValue(), file)).as("%s in %s, also in", id, file).isNull();
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void a_file_can_be_read_in_one_sitting(Path file) throws Exception {
    List<JsonNode> routes = tree(file).findValues("route");
    assertThat(routes.size()).as("routes").isLessThanOrEqualTo(MAX_ROUTES);
    for (JsonNode route : routes) {
      String id = route.path("id").asText();
      assertThat(route.path("description").asText()).as("description of " + id).isNotBlank();
      assertThat(route.path("from").path("steps").size())
          .as("steps of " + id)
          .isLessThanOrEqualTo(MAX_STEPS);
    }
  }

  private static JsonNode tree(Path file) throws IOException {
    return YAML.readTree(file.toFile());
  }
}
