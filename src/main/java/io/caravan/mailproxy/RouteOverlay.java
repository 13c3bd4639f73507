package io.caravan.mailproxy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.main.DefaultRoutesCollector;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;

/**
 * Finds the route files: of several folders, and of files of one name the last folder's wins, so
 * that {@code routes.d/} replaces what {@code routes/} ships.
 */
final class RouteOverlay extends DefaultRoutesCollector {
  private static final String SUFFIX = ".camel.yaml";

  private static final String BEANS = "beans" + SUFFIX;

  private final List<Path> folders;

  /** Camel asks for the files several times; their form is looked at once. */
  private final Set<Path> checked = new HashSet<>();

  RouteOverlay(Path... folders) {
    this.folders = List.of(folders);
  }

  /**
   * Makes the beans. Apart from the routes and before them: Camel makes the beans of a file twice
   * when it loads it together with others.
   */
  void loadBeans(CamelContext context) throws Exception {
    Resource beans = resources(context).get(BEANS);
    if (beans == null) {
      throw new ConfigurationException("there is no " + BEANS + " in " + folders);
    }
    PluginHelper.getRoutesLoader(context).loadRoutes(beans);
  }

  /** All files that count, that of the beans included. */
  Collection<Resource> files(CamelContext context) {
    return resources(context).values();
  }

  @Override
  public Collection<Resource> findRouteResourcesFromDirectory(
      CamelContext context, String excludePattern, String includePattern) {
    Map<String, Resource> routes = resources(context);
    routes.remove(BEANS);
    return routes.values();
  }

  private Map<String, Resource> resources(CamelContext context) {
    TreeMap<String, Resource> byName = new TreeMap<>();
    var loader = PluginHelper.getResourceLoader(context);
    for (Path folder : folders) {
      for (Path file : files(folder)) {
        if (checked.add(file)) {
          new RouteFile(file).check();
        }
        byName.put(file.getFileName().toString(), loader.resolveResource("file:" + file));
      }
    }
    return byName;
  }

  private static List<Path> files(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(file -> file.getFileName().toString().endsWith(SUFFIX)).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
