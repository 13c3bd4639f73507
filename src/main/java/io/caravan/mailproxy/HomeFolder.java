package io.caravan.mailproxy;

import io.caravan.mailproxy.cli.Arguments;
import io.caravan.mailproxy.cli.Logs;
import io.caravan.mailproxy.cli.Program;
import io.caravan.mailproxy.db.PostgresServer;
import io.caravan.mailproxy.db.UnusableStoreException;
import io.caravan.mailproxy.secret.KeySettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.impl.engine.SimpleCamelContext;

/** The folder that a proxy starts from, looked at without a start. */
public final class HomeFolder implements Program {
  private final Map<String, String> environment;
  private final Path home;

  /** Finds the folder as a start does. */
  public HomeFolder(Map<String, String> environment) {
    this.environment = environment;
    this.home = Arguments.homeOf(environment).toAbsolutePath().normalize();
  }

  @Override
  public int serve(List<String> arguments) throws Exception {
    return Main.serve(arguments.toArray(String[]::new));
  }

  @Override
  public Map<String, String> settings() {
    ConfigFile file = ConfigFile.of(home);
    Map<String, String> settings = new TreeMap<>();
    asked(
        context -> {
          for (String key : file.keys()) {
            settings.put(key, context.resolvePropertyPlaceholders("{{" + key + "}}"));
          }
        });
    settings.put("home", home.toString());
    return settings;
  }

  @Override
  public List<String> problems() {
    List<String> problems = new ArrayList<>();
    try {
      Logs.check(environment);
    } catch (IllegalArgumentException e) {
      problems.add("environment: " + e.getMessage());
    }
    try {
      ConfigFile file = ConfigFile.of(home);
      problems.addAll(file.problems());
      Map<String, String> wrong = outOfRange();
      wrong.forEach((key, text) -> problems.add(file.place(key) + ": " + text));
      store(file, problems);
      if (wrong.isEmpty()) {
        rehearse(PostgresServer.is(settings().getOrDefault("db.path", "")));
      }
    } catch (ConfigurationException e) {
      problems.add(e.getMessage());
    }
    return problems;
  }

  /** What the rehearsal does not see, for it takes an empty SQLite file. */
  private void store(ConfigFile file, List<String> problems) {
    Map<String, String> settings = settings();
    String path = settings.getOrDefault("db.path", "");
    if (!PostgresServer.is(path)) {
      return;
    }
    try {
      PostgresServer.check(path);
    } catch (UnusableStoreException e) {
      problems.add(file.place("db.path") + ": " + e.getMessage());
    }
    if (environment.getOrDefault(KeySettings.KEY, "").isBlank()
        && settings.getOrDefault("encryption.key-file", "").isBlank()) {
      problems.add("environment: " + KeySettings.NO_SHARED_KEY);
    }
  }

  private Map<String, String> outOfRange() {
    Map<String, String> wrong = new TreeMap<>();
    asked(context -> wrong.putAll(Ranges.wrong(context)));
    return wrong;
  }

  /** Asks a Camel that knows the settings and nothing else. */
  private void asked(Consumer<CamelContext> question) {
    SimpleCamelContext context = new SimpleCamelContext();
    try {
      PropertiesComponent properties = (PropertiesComponent) context.getPropertiesComponent();
      properties.setLocation("file:" + home.resolve("config/application.properties"));
      properties.setEnvironmentVariableMode(PropertiesComponent.ENVIRONMENT_VARIABLES_MODE_NEVER);
      context.build();
      question.accept(context);
    } catch (RuntimeException e) {
      throw ConfigurationException.of(e, List.of());
    } finally {
      context.stop();
    }
  }

  private void rehearse(boolean shared) {
    try {
      Path scratch = Files.createTempDirectory("mail-proxy-check");
      try {
        MailProxy.rehearse(home, scratch, shared);
      } finally {
        delete(scratch);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
