package io.caravan.mailproxy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** The outer form of a route file: Camel takes what is no list for a file without routes. */
final class RouteFile {
  private final Path path;

  RouteFile(Path path) {
    this.path = path;
  }

  /**
   * Looks at the form alone; what YAML cannot read, Camel names itself.
   *
   * @throws ConfigurationException it is no list of mappings with something in each
   */
  void check() {
    try (InputStream in = Files.newInputStream(path)) {
      Optional<Node> root = new Compose(LoadSettings.builder().build()).composeInputStream(in);
      if (root.isEmpty()) {
        throw wrong(null, "no route; a file that switches off what it replaces holds []");
      }
      if (!(root.get() instanceof SequenceNode list)) {
        throw wrong(root.get(), "a route file is a list, such as - route: ...");
      }
      list.getValue().forEach(this::checkItem);
    } catch (YamlEngineException e) {
      return;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void checkItem(Node item) {
    if (!(item instanceof MappingNode mapping)) {
      throw wrong(item, "an item of a route file is a mapping, such as - route: ...");
    }
    for (NodeTuple entry : mapping.getValue()) {
      if (entry.getValueNode().getTag().equals(Tag.NULL)) {
        throw wrong(entry.getKeyNode(), "there is nothing in it");
      }
    }
  }

  private ConfigurationException wrong(@Nullable Node node, String reason) {
    int line = node == null ? 1 : node.getStartMark().map(Mark::getLine).orElse(0) + 1;
    return new ConfigurationException(path + ", line " + line + ": " + reason);
  }
}
