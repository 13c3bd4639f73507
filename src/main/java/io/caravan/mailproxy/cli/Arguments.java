package io.caravan.mailproxy.cli;

import java.net.URISyntaxException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The command line.
 *
 * @param home folder with {@code config/}, {@code routes/} and {@code routes.d/}
 * @param settings what the command line says over the settings of the file
 */
public record Arguments(Command command, Path home, Map<String, String> settings) {
  public static final String USAGE =
      """
      mail-proxy start [--insecure-dev]   run the service from config/ and routes/
      mail-proxy demo                     run it with a sandbox relay and show one mail's way
      mail-proxy help                     this text

        --insecure-dev   no token, on 127.0.0.1 only

      GMP_API_TOKEN is the administrator's token; GMP_HOME the folder to run from, else the one
      that holds target/mail-proxy.jar, else the working directory.
      Every setting is in config/application.properties.""";

  /** What to do. */
  public enum Command {
    START,
    DEMO,
    HELP
  }

  /**
   * Reads the command line.
   *
   * @throws IllegalArgumentException it is not understood, or the token is missing; the message
   *     says what to do
   */
  public static Arguments parse(String[] args, Map<String, String> environment) {
    Path home = home(environment, program(), Path.of(System.getProperty("user.dir")));
    Map<String, String> settings = new HashMap<>();
    boolean insecure = false;
    for (int i = 1; i < args.length; i++) {
      if (!args[i].equals("--insecure-dev") || !args[0].equals("start")) {
        throw new IllegalArgumentException("unknown argument " + args[i] + "\n\n" + USAGE);
      }
      insecure = true;
    }
    if (insecure) {
      settings.put("host", "127.0.0.1");
      settings.put("api.token", "");
    }
    switch (args.length == 0 ? "help" : args[0]) {
      case "start" -> {
        if (!insecure && environment.getOrDefault("GMP_API_TOKEN", "").isBlank()) {
          throw new IllegalArgumentException(
              """
              mail-proxy cannot start: no administrator token. Set one, such as
                export GMP_API_TOKEN="$(head -c 24 /dev/urandom | base64)"
              or, on your own machine only, start without a token: mail-proxy start --insecure-dev""");
        }
        return new Arguments(Command.START, home, settings);
      }
      case "demo" -> {
        return new Arguments(Command.DEMO, home, settings);
      }
      case "help", "--help", "-h" -> {
        return new Arguments(Command.HELP, home, settings);
      }
      default -> throw new IllegalArgumentException("unknown command " + args[0] + "\n\n" + USAGE);
    }
  }

  /**
   * The folder to run from: {@code GMP_HOME}, else the one above the program's, when it has a
   * {@code config/}, else where the command was given.
   *
   * @param program the jar, or the folder of classes
   */
  static Path home(Map<String, String> environment, @Nullable Path program, Path working) {
    String named = environment.getOrDefault("GMP_HOME", "");
    if (!named.isBlank()) {
      return Path.of(named);
    }
    Path folder = program == null ? null : program.toAbsolutePath().getParent();
    Path above = folder == null ? null : folder.getParent();
    return above != null && Files.isDirectory(above.resolve("config")) ? above : working;
  }

  private static @Nullable Path program() {
    CodeSource source = Arguments.class.getProtectionDomain().getCodeSource();
    try {
      return source == null ? null : Path.of(source.getLocation().toURI());
    } catch (URISyntaxException | IllegalArgumentException | FileSystemNotFoundException e) {
      return null;
    }
  }
}
