package io.caravan.mailproxy.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * A file of declared tenants, accounts and rules as JSON, each object with the line it begins in.
 * Secrets stand elsewhere: {@code env:NAME} or {@code file:PATH}.
 */
final class DeclaredFile {
  private static final Set<String> SECRETS = Set.of("password", "imap_password", "token");
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final Path path;
  private final UnaryOperator<@Nullable String> environment;
  private final IdentityHashMap<JsonNode, Integer> lines = new IdentityHashMap<>();
  private final Set<Node> met = Collections.newSetFromMap(new IdentityHashMap<>());

  /**
   * @param environment the value of a variable; null: it is not set
   */
  DeclaredFile(Path path, UnaryOperator<@Nullable String> environment) {
    this.path = path;
    this.environment = environment;
  }

  /**
   * Its content; an empty object when there is no such file, or nothing in it.
   *
   * @throws IllegalStateException it cannot be read; the message says where and why
   */
  JsonNode read() {
    if (!Files.exists(path)) {
      return JSON.objectNode();
    }
    try (InputStream in = Files.newInputStream(path)) {
      Optional<Node> root = new Compose(LoadSettings.builder().build()).composeInputStream(in);
      return root.isEmpty() ? JSON.objectNode() : value("", root.get());
    } catch (YamlEngineException e) {
      throw new IllegalStateException(path + ": " + e.getMessage(), e);
    } catch (IOException e) {
      throw new IllegalStateException(path + " cannot be read: " + e, e);
    }
  }

  /** Says that an object is wrong. */
  IllegalStateException wrong(JsonNode object, String reason) {
    return new IllegalStateException(
        path + ", line " + lines.getOrDefault(object, 1) + ": " + reason);
  }

  private IllegalStateException wrong(Node node, String reason) {
    return new IllegalStateException(path + ", line " + line(node) + ": " + reason);
  }

  private static int line(Node node) {
    return node.getStartMark().map(Mark::getLine).orElse(0) + 1;
  }

  private JsonNode value(String name, Node node) {
    if (node instanceof ScalarNode scalar) {
      return scalar(name, scalar);
    }
    if (!met.add(node)) {
      throw wrong(node, "an alias stands for it a second time; write it out");
    }
    if (node instanceof SequenceNode list) {
      ArrayNode array = JSON.arrayNode();
      list.getValue().forEach(item -> array.add(value(name, item)));
      return array;
    }
    ObjectNode object = JSON.objectNode();
    lines.put(object, line(node));
    Set<String> names = new HashSet<>();
    for (NodeTuple entry : ((MappingNode) node).getValue()) {
      if (!(entry.getKeyNode() instanceof ScalarNode key) || !names.add(key.getValue())) {
        throw wrong(entry.getKeyNode(), "a key that is no text, or stands twice");
      }
      object.set(key.getValue(), value(key.getValue(), entry.getValueNode()));
    }
    return object;
  }

  private JsonNode scalar(String name, ScalarNode node) {
    String text = node.getValue();
    Tag tag = node.getTag();
    try {
      if (tag.equals(Tag.NULL)) {
        return JSON.nullNode();
      }
      if (SECRETS.contains(name)) {
        return JSON.textNode(secret(node, name));
      }
      if (tag.equals(Tag.INT)) {
        long number = Long.decode(text);
        return number == (int) number ? JSON.numberNode((int) number) : JSON.numberNode(number);
      }
    } catch (NumberFormatException e) {
      throw wrong(node, text + " is too large");
    }
    return tag.equals(Tag.BOOL)
        ? JSON.booleanNode(Boolean.parseBoolean(text))
        : JSON.textNode(text);
  }

  private String secret(ScalarNode node, String name) {
    String text = node.getValue();
    if (text.startsWith("env:")) {
      String variable = text.substring("env:".length());
      String value = environment.apply(variable);
      if (value == null || value.isEmpty()) {
        throw wrong(node, name + ": environment variable " + variable + " is not set");
      }
      return value;
    }
    if (text.startsWith("file:")) {
      Path file = path.resolveSibling(text.substring("file:".length()));
      try {
        return Files.readString(file).strip();
      } catch (IOException e) {
        throw wrong(node, name + ": file " + file + " cannot be read");
      }
    }
    throw wrong(node, name + " should be env:VARIABLE or file:PATH, no secret stands here");
  }
}
