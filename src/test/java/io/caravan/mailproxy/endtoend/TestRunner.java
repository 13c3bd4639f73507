package io.caravan.mailproxy.endtoend;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.caravan.mailproxy.ConfigurationException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs test classes in this process, one after the other, and ends it at the first failure: exit
 * code 1 and a line that names the test. Without classes it runs all that start a proxy.
 */
public final class TestRunner {
  /** Begins the line that names the test that failed. */
  public static final String FAILED = "FAILED ";

  /** Ends that line when the proxy did not even start. */
  public static final String NO_START = " (it does not start)";

  private TestRunner() {}

  /**
   * Runs them.
   *
   * @param args a file that takes the classes' names, the quickest first, or "-"; the classes
   */
  public static void main(String[] args) throws Exception {
    List<String> classes =
        args.length > 1 ? List.of(args).subList(1, args.length) : startingProxies();
    Launcher launcher = LauncherFactory.create();
    launcher.registerTestExecutionListeners(new FirstFailure(System.out));
    Map<String, Long> times = new LinkedHashMap<>();
    for (String name : classes) {
      long begun = System.nanoTime();
      launcher.execute(
          LauncherDiscoveryRequestBuilder.request().selectors(selectClass(name)).build());
      times.put(name, System.nanoTime() - begun);
    }
    if (!args[0].equals("-")) {
      List<String> quickest =
          times.keySet().stream().sorted(Comparator.comparing(times::get)).toList();
      Files.write(Path.of(args[0]), quickest);
    }
    Runtime.getRuntime().halt(0);
  }

  /**
   * Test classes whose code names {@link TestProxy} or {@link ProxyProcess}, here or by helpers.
   */
  private static List<String> startingProxies() throws IOException {
    Path root =
        Path.of(TestRunner.class.getProtectionDomain().getCodeSource().getLocation().getPath());
    Map<String, String> code = new LinkedHashMap<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".class")).sorted().toList()) {
        String name = root.relativize(file).toString().replace(".class", "");
        code.put(name, Files.readString(file, StandardCharsets.ISO_8859_1));
      }
    }
    Set<String> starting =
        new java.util.HashSet<>(
            Set.of(
                TestProxy.class.getName().replace('.', '/'),
                ProxyProcess.class.getName().replace('.', '/')));
    boolean more = true;
    while (more) {
      more =
          starting.addAll(
              code.keySet().stream()
                  .filter(name -> starting.stream().anyMatch(code.get(name)::contains))
                  .collect(Collectors.toSet()));
    }
    List<String> tests = new ArrayList<>();
    for (String name : starting) {
      if (name.endsWith("Test")) {
        tests.add(name.replace('/', '.'));
      }
    }
    tests.sort(null);
    return tests;
  }

  /** Ends the process with it. */
  private record FirstFailure(PrintStream out) implements TestExecutionListener {
    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
      if (result.getStatus() == TestExecutionResult.Status.FAILED) {
        Throwable failure = result.getThrowable().orElseThrow();
        String name = test.getLegacyReportingName().replace("()", "");
        failure.printStackTrace(out);
        out.println(FAILED + name + (noStart(failure) ? NO_START : ""));
        out.flush();
        Runtime.getRuntime().halt(1);
      }
    }

    private static boolean noStart(Throwable failure) {
      return failure instanceof ConfigurationException
          || (failure.getMessage() != null
              && failure.getMessage().startsWith("the proxy ended at its start"));
    }
  }
}
