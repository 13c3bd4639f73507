import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.caravan.mailproxy.endtoend.TestRunner;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** bench/mutate; see bench/README.md. */
public final class Mutate {
  private static final String USAGE =
      """
      bench/mutate [--only deliver.camel.yaml] [--step ID,ID] [--tests Class,Class] [--list yes]\
      """;

  /** Made to be replaced, and empty as shipped. */
  private static final String HOOKS = "hooks.camel.yaml";

  private static final Path ROUTES = Path.of("routes");
  private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

  private final Path folder;

  private Mutate(Path folder) {
    this.folder = folder;
  }

  /** A step that can be removed: where it stands in its file, in the order of a walk. */
  private record Step(String file, int place, String id) {}

  /** How a run of the tests ended. */
  private record Outcome(boolean passed, String by, long seconds) {}

  public static void main(String[] args) throws Exception {
    Map<String, String> options = new LinkedHashMap<>();
    for (String option : List.of("--only", "--step", "--tests", "--list")) {
      options.put(option, "");
    }
    for (int i = 0; i < args.length; i += 2) {
      if (i + 1 == args.length || options.replace(args[i], args[i + 1]) == null) {
        System.err.println(USAGE);
        System.exit(2);
      }
    }
    Path folder =
        Files.createTempDirectory(Files.createDirectories(Path.of("target/bench")), "mutate-");
    System.exit(new Mutate(folder.toAbsolutePath()).run(options) ? 0 : 1);
  }

  private boolean run(Map<String, String> options) throws Exception {
    List<Step> steps = steps(options.get("--only"));
    if (!options.get("--step").isEmpty()) {
      List<String> wanted = Arrays.asList(options.get("--step").split(","));
      steps.removeIf(step -> !wanted.contains(step.id()));
    }
    if (!options.get("--list").isEmpty()) {
      steps.forEach(step -> System.out.println(step.file() + " " + step.id()));
      return true;
    }
    Path original = copy("original", new Step("", -1, ""));
    Path times = folder.resolve("times");
    Outcome baseline =
        test(original, options.get("--tests"), times, TimeUnit.MINUTES.toSeconds(15));
    if (!baseline.passed()) {
      System.out.println("the tests fail on the routes as they are: " + baseline.by());
      return false;
    }
    // the quickest class first: most mutants end with it
    String tests = String.join(",", Files.readAllLines(times));
    long limit = 30 + 3 * baseline.seconds();
    System.out.printf(
        "%d steps; the tests take %d s: %s%n", steps.size(), baseline.seconds(), tests);
    int killed = 0;
    int noStart = 0;
    List<Step> survivors = new ArrayList<>();
    for (Step step : steps) {
      Outcome outcome = test(copy("mutant", step), tests, null, limit);
      if (outcome.passed()) {
        survivors.add(step);
      } else {
        killed++;
        noStart += outcome.by().endsWith(TestRunner.NO_START) ? 1 : 0;
      }
      System.out.printf(
          "%-28s %-32s %s (%d s)%n",
          step.file(),
          step.id(),
          outcome.passed() ? "SURVIVED" : "killed by " + outcome.by(),
          outcome.seconds());
    }
    System.out.printf(
        "%nscore: %d of %d steps killed (%.0f %%), %d of them because nothing starts without%n",
        killed, steps.size(), 100.0 * killed / Math.max(1, steps.size()), noStart);
    survivors.forEach(step -> System.out.println("survived: " + step.file() + " " + step.id()));
    return true;
  }

  // the routes

  private static List<Step> steps(String only) throws IOException {
    List<Step> steps = new ArrayList<>();
    try (Stream<Path> files = Files.list(ROUTES)) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith(".camel.yaml")
            && !name.equals(HOOKS)
            && (only.isEmpty() || name.equals(only) || name.equals(only + ".camel.yaml"))) {
          List<String> ids = new ArrayList<>();
          walk(YAML.readTree(file.toFile()), ids, -1);
          for (int i = 0; i < ids.size(); i++) {
            steps.add(new Step(name, i, ids.get(i)));
          }
        }
      }
    }
    return steps;
  }

  /** A folder with the routes, without one step. */
  private Path copy(String name, Step without) throws IOException {
    Path copy = Files.createDirectories(folder.resolve(name));
    try (Stream<Path> files = Files.list(ROUTES)) {
      for (Path file : files.toList()) {
        String fileName = file.getFileName().toString();
        if (fileName.equals(without.file())) {
          JsonNode tree = YAML.readTree(file.toFile());
          walk(tree, new ArrayList<>(), without.place());
          YAML.writeValue(copy.resolve(fileName).toFile(), tree);
        } else {
          Files.write(copy.resolve(fileName), Files.readAllBytes(file));
        }
      }
    }
    return copy;
  }

  /** Collects the ids of all steps and blocks below a node; removes the one at a place. */
  private static void walk(JsonNode node, List<String> ids, int remove) {
    if (node instanceof ArrayNode list) {
      list.forEach(element -> walk(element, ids, remove));
    } else if (node instanceof ObjectNode map) {
      for (Map.Entry<String, JsonNode> field : List.copyOf(map.properties())) {
        switch (field.getKey()) {
          case "steps" -> elements((ArrayNode) field.getValue(), ids, remove, true);
          case "when", "doCatch" -> elements((ArrayNode) field.getValue(), ids, remove, false);
          case "otherwise", "doFinally" -> {
            ids.add(id(field.getValue(), field.getKey(), ids.size()));
            if (ids.size() - 1 == remove) {
              map.remove(field.getKey());
            }
            walk(field.getValue(), ids, remove);
          }
          case "beans" -> {
            // the wiring is no step
          }
          default -> walk(field.getValue(), ids, remove);
        }
      }
    }
  }

  private static void elements(ArrayNode list, List<String> ids, int remove, boolean wrapped) {
    for (int i = 0; i < list.size(); i++) {
      JsonNode element = list.get(i);
      String kind = wrapped ? element.fieldNames().next() : "block";
      ids.add(id(wrapped ? element.get(kind) : element, kind, ids.size()));
      if (ids.size() - 1 != remove) {
        walk(wrapped ? element.get(kind) : element, ids, remove);
      } else if (wrapped && list.size() == 1) {
        // a route or block without any step is no route
        ObjectNode nothing = list.objectNode();
        nothing.putObject("removeProperty").put("name", "nothing");
        list.set(i, nothing);
      } else if (!wrapped && list.size() == 1) {
        // a choice without a when is no choice
        ((ObjectNode) element)
            .putObject("expression")
            .putObject("constant")
            .put("expression", "false");
      } else {
        list.remove(i);
        return; // the rest of the walk is not needed: this tree is written
      }
    }
  }

  private static String id(JsonNode step, String kind, int place) {
    return step.has("id") ? step.get("id").asText() : kind + " #" + place;
  }

  // the tests

  private Outcome test(Path routes, String tests, Path times, long seconds)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx512m", "-XX:TieredStopAtLevel=1"));
    command.add("-Dmailproxy.routes=" + routes);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(TestRunner.class.getName());
    command.add(times == null ? "-" : times.toString());
    if (!tests.isEmpty()) {
      command.addAll(List.of(tests.split(",")));
    }
    Path output = folder.resolve("output");
    long begun = System.nanoTime();
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
    long took = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);
    if (!ended) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      return new Outcome(false, "time-out", took);
    }
    String by = "exit code " + process.exitValue();
    for (String line : Files.readAllLines(output, StandardCharsets.UTF_8)) {
      if (line.startsWith(TestRunner.FAILED)) {
        by = line.substring(TestRunner.FAILED.length());
      }
    }
    return new Outcome(process.exitValue() == 0, by, took);
  }
}
