package io.caravan.mailproxy.endtoend;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravan.mailproxy.http.Contract;
import io.caravan.mailproxy.http.Json;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * Requests drawn from the contract: right ones, and ones that went wrong in one place or several.
 * Hosts and URLs in them lead nowhere.
 */
public final class RandomRequests {
  private static final JsonNode DOCUMENT = Contract.document();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final int MAX_DEPTH = 6;

  /** What strings of some fields are, so that requests get somewhere, and nowhere else. */
  private static final Map<String, List<String>> WORDS =
      Map.ofEntries(
          Map.entry("id", List.of("acme", "other", "relay", "m-1", "m-2", "m-3")),
          Map.entry("tenant_id", List.of("acme", "acme", "other", "nobody")),
          Map.entry("account_id", List.of("relay", "relay", "second")),
          Map.entry("failover_account_id", List.of("relay", "second")),
          Map.entry("host", List.of("127.0.0.1", "no where", "-")),
          Map.entry("imap_host", List.of("127.0.0.1")),
          Map.entry("client_base_url", List.of("http://127.0.0.1:1", "ftp://127.0.0.1", "x")),
          Map.entry("from", List.of("a@b.test", "Ada <ada@b.test>", "nobody")),
          Map.entry("return_path", List.of("a@b.test", "<>")),
          Map.entry("to", List.of("c@d.test", "e@f.test, g@h.test")),
          Map.entry("domains", List.of("d.test", "*.d.test")),
          Map.entry("storage_path", List.of("base64:aGk=", "/etc/passwd", "base64:!")),
          Map.entry("throttle", List.of("__default", "none")));

  private static final List<String> ODD =
      List.of(
          "",
          " ",
          "\u0000",
          "\r\nX: y",
          "'; DROP TABLE message;--",
          "%_\\",
          "${exception.message}",
          "{{api.token}}",
          "\ud83d\ude80",
          "\u202e",
          "../../x",
          "null",
          "x".repeat(3_000));

  private final Random random;
  private final List<ObjectNode> operations = new ArrayList<>();

  /**
   * A request.
   *
   * @param body its bytes, each as a character
   */
  public record Request(String operation, String method, String path, String body, String type) {}

  public RandomRequests(Random random) {
    this.random = random;
    for (Map.Entry<String, JsonNode> path : DOCUMENT.path("paths").properties()) {
      for (Map.Entry<String, JsonNode> method : path.getValue().properties()) {
        if (method.getKey().equals("parameters")) {
          continue;
        }
        ObjectNode operation = method.getValue().deepCopy();
        operation.put("path", path.getKey()).put("method", method.getKey());
        ArrayNode parameters = operation.withArray("parameters");
        path.getValue().path("parameters").forEach(parameters::add);
        operations.add(operation);
      }
    }
  }

  /** The next one. */
  public Request next() {
    JsonNode operation = operations.get(random.nextInt(operations.size()));
    String path = operation.path("path").asText();
    List<String> query = new ArrayList<>();
    for (JsonNode reference : operation.path("parameters")) {
      JsonNode parameter = resolved(reference);
      String name = parameter.path("name").asText();
      String text = text(name, value(name, parameter.path("schema"), 0));
      String encoded = URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
      switch (parameter.path("in").asText()) {
        case "path" -> path = path.replace("{" + name + "}", encoded.isEmpty() ? "x" : encoded);
        case "query" -> {
          if (parameter.path("required").booleanValue() ? !odds(20) : odds(3)) {
            query.add(name + "=" + encoded);
          }
        }
        default -> {}
      }
    }
    JsonNode schema = operation.at("/requestBody/content/application~1json/schema");
    String body = schema.isMissingNode() ? "" : body(schema);
    return new Request(
        operation.path("operationId").asText(),
        odds(40) ? "DELETE" : operation.path("method").asText().toUpperCase(Locale.ROOT),
        path + (query.isEmpty() ? "" : "?" + String.join("&", query)),
        body,
        odds(40) ? "text/plain" : "application/json");
  }

  private String body(JsonNode schema) {
    JsonNode value = value("", schema, 0);
    byte[] bytes = Json.bytes(value);
    if (odds(15)) {
      for (int i = 0; i < 3 && bytes.length > 0; i++) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
    }
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static JsonNode resolved(JsonNode node) {
    return node.has("$ref") ? resolved(DOCUMENT.at(node.path("$ref").asText().substring(1))) : node;
  }

  private boolean odds(int oneIn) {
    return random.nextInt(oneIn) == 0;
  }

  private static String text(String name, JsonNode value) {
    return value.isValueNode() ? value.asText() : name;
  }

  private JsonNode value(String name, JsonNode reference, int depth) {
    if (odds(25) || depth > MAX_DEPTH) {
      return junk();
    }
    JsonNode schema = resolved(reference);
    if (schema.has("const")) {
      return schema.path("const");
    }
    if (schema.has("enum")) {
      return schema.path("enum").get(random.nextInt(schema.path("enum").size()));
    }
    if (schema.has("oneOf")) {
      JsonNode one = schema.path("oneOf").get(random.nextInt(schema.path("oneOf").size()));
      return value(name, one, depth + 1);
    }
    JsonNode type = schema.path("type");
    String chosen = type.isArray() ? type.get(random.nextInt(type.size())).asText() : type.asText();
    return switch (chosen) {
      case "null" -> NODES.nullNode();
      case "boolean" -> NODES.booleanNode(random.nextBoolean());
      case "integer", "number" -> number(name, schema);
      case "array" -> array(name, schema, depth);
      case "object" -> object(schema, depth);
      default -> schema.has("allOf") ? object(schema, depth) : NODES.textNode(word(name));
    };
  }

  private JsonNode number(String name, JsonNode schema) {
    if (name.equals("port")) {
      return NODES.numberNode(1);
    }
    long min = schema.path("minimum").asLong(-2);
    long max = Math.min(schema.path("maximum").asLong(4_102_444_800L), 4_102_444_800L);
    return NODES.numberNode(odds(10) ? random.nextLong() : min + random.nextLong(max - min + 1));
  }

  private JsonNode array(String name, JsonNode schema, int depth) {
    ArrayNode array = NODES.arrayNode();
    for (int i = random.nextInt(4); i > 0; i--) {
      array.add(value(name, schema.path("items"), depth + 1));
    }
    return array;
  }

  private JsonNode object(JsonNode schema, int depth) {
    ObjectNode object = NODES.objectNode();
    for (JsonNode part : schema.path("allOf")) {
      if (value("", part, depth) instanceof ObjectNode fields) {
        object.setAll(fields);
      }
    }
    List<String> required = new ArrayList<>();
    schema.path("required").forEach(name -> required.add(name.asText()));
    for (Map.Entry<String, JsonNode> field : schema.path("properties").properties()) {
      if (required.contains(field.getKey()) ? !odds(15) : odds(3)) {
        object.set(field.getKey(), value(field.getKey(), field.getValue(), depth + 1));
      }
    }
    if (odds(15)) {
      object.set("unknown_" + random.nextInt(9), junk());
    }
    return object;
  }

  private String word(String name) {
    if (odds(12)) {
      return ODD.get(random.nextInt(ODD.size()));
    }
    List<String> words = WORDS.get(name);
    return words == null ? "word-" + random.nextInt(20) : words.get(random.nextInt(words.size()));
  }

  private JsonNode junk() {
    return switch (random.nextInt(9)) {
      case 0 -> NODES.nullNode();
      case 1 -> NODES.booleanNode(random.nextBoolean());
      case 2 -> NODES.numberNode(random.nextLong());
      case 3 -> NODES.numberNode(random.nextDouble() * 1e300);
      case 4 -> NODES.arrayNode().add(NODES.arrayNode());
      case 5 -> NODES.objectNode().put("x", 1);
      default -> NODES.textNode(ODD.get(random.nextInt(ODD.size())));
    };
  }
}
