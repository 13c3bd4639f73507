package io.caravan.mailproxy;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.FailedToStartRouteException;
import org.apache.camel.NamedNode;
import org.apache.camel.model.Model;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.Resource;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Where in the route files the cause of a failed start stands. Camel names file and line of what it
 * cannot read, but of what it cannot run only an id or a step's text.
 */
final class Culprit {
  private static final Pattern STEP =
      Pattern.compile(" at: >>> (.*?) <<< in route: ", Pattern.DOTALL);
  private static final Pattern DUPLICATE =
      Pattern.compile("Duplicate (?:route ids|id) detected: ([^ ,]+?)\\.? ");
  private static final Pattern BEAN = Pattern.compile("Error creating bean: (\\S+)");

  private final CamelContext context;
  private final Collection<Resource> files;

  Culprit(CamelContext context, Collection<Resource> files) {
    this.context = context;
    this.files = files;
  }

  /** One line for each place, as {@code file, line 7: route mine}; empty: none was found. */
  List<String> of(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String message = String.valueOf(cause.getMessage());
      Matcher duplicate = DUPLICATE.matcher(message);
      if (duplicate.find()) {
        return named("id", duplicate.group(1));
      }
      Matcher bean = BEAN.matcher(message);
      if (bean.find()) {
        return named("name", bean.group(1));
      }
      if (cause instanceof FailedToCreateRouteException e && e.getRouteId() != null) {
        Matcher step = STEP.matcher(message);
        return step(e.getRouteId(), step.find() ? step.group(1) : null);
      }
      if (cause instanceof FailedToStartRouteException e) {
        return step(e.getRouteId(), null);
      }
    }
    return List.of();
  }

  /**
   * Where routes begin that take from one and the same {@code direct:} endpoint; Camel finds that
   * out at a start.
   */
  List<String> clashes() {
    Map<String, List<String>> routes = new TreeMap<>();
    for (RouteDefinition route :
        context.getCamelContextExtension().getContextPlugin(Model.class).getRouteDefinitions()) {
      String from = route.getInput().getEndpointUri();
      if (from.startsWith("direct:")) {
        routes.computeIfAbsent(from, uri -> new ArrayList<>()).add(route.getId());
      }
    }
    List<String> places = new ArrayList<>();
    routes.values().stream()
        .filter(ids -> ids.size() > 1)
        .forEach(ids -> ids.forEach(id -> places.addAll(step(id, null))));
    return places;
  }

  /** The step of a route that Camel shows as {@code text}; without such a step, its input. */
  private List<String> step(String routeId, @Nullable String text) {
    RouteDefinition route =
        context
            .getCamelContextExtension()
            .getContextPlugin(Model.class)
            .getRouteDefinition(routeId);
    if (route == null) {
      return List.of();
    }
    NamedNode node = text == null ? null : step(route.getOutputs(), text);
    if (node == null) {
      NamedNode from = route.getInput();
      return List.of(place(from.getLocation(), from.getLineNumber()) + ": route " + routeId);
    }
    List<String> byId = named("id", node.getId());
    return byId.isEmpty()
        ? List.of(place(node.getLocation(), node.getLineNumber() + 1) + ": route " + routeId)
        : byId;
  }

  private static @Nullable NamedNode step(List<ProcessorDefinition<?>> steps, String text) {
    for (ProcessorDefinition<?> step : steps) {
      NamedNode inner = step(step.getOutputs(), text);
      if (inner != null || step.toString().equals(text)) {
        return inner == null ? step : inner;
      }
    }
    return null;
  }

  /** Each place where a key has a value. */
  private List<String> named(String key, String value) {
    List<String> places = new ArrayList<>();
    for (Resource file : files) {
      try (InputStream in = file.getInputStream()) {
        for (Node document :
            new Compose(LoadSettings.builder().build()).composeAllFromInputStream(in)) {
          collect(document, key, value, file, places);
        }
      } catch (IOException | YamlEngineException e) {
        places.add(file.getLocation() + ": " + e.getMessage());
      }
    }
    return places;
  }

  private static void collect(
      Node node, String key, String value, Resource file, List<String> places) {
    if (node instanceof SequenceNode list) {
      list.getValue().forEach(item -> collect(item, key, value, file, places));
    } else if (node instanceof MappingNode map) {
      for (NodeTuple entry : map.getValue()) {
        collect(entry.getValueNode(), key, value, file, places);
        if (entry.getKeyNode() instanceof ScalarNode name
            && name.getValue().equals(key)
            && entry.getValueNode() instanceof ScalarNode scalar
            && scalar.getValue().equals(value)) {
          int line = scalar.getStartMark().map(mark -> mark.getLine() + 1).orElse(0);
          places.add(place(file.getLocation(), line) + ": " + key + " " + value);
        }
      }
    }
  }

  private static String place(@Nullable String location, int line) {
    return String.valueOf(location).replaceFirst("^file:", "") + ", line " + line;
  }
}
