package io.caravan.mailproxy.cli;

import io.caravan.mailproxy.secret.SecretFile;
import java.net.URISyntaxException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The commands that run the proxy; the others are in {@link Shell}.
 *
 * @param home folder with {@code config/}, {@code routes/} and {@code routes.d/}
 * @param settings what the command line says over the settings of the file
 */
public record Arguments(Command command, Path home, Map<String, String> settings) {
  /** What to do. */
  public enum Command {
    START,
    DEMO
  }

  /**
   * Reads the command line.
   *
   * @param args begin with {@code start} or {@code demo}
   * @throws IllegalArgumentException it is not understood, or the token is missing or in a file
   *     that cannot be used; the message says what to do
   */
  public static Arguments parse(String[] args, Map<String, String> environment) {
    Path home = homeOf(environment);
    Map<String, String> settings = new HashMap<>();
    boolean insecure = false;
    for (int i = 1; i < args.length; i++) {
      if (!args[i].equals("--insecure-dev") || !args[0].equals("start")) {
        throw new IllegalArgumentException(
            "unknown argument " + args[i] + "\nSee: mail-proxy " + args[0] + " --help");
      }
      insecure = true;
    }
    if (args[0].equals("demo")) {
      return new Arguments(Command.DEMO, home, settings);
    }
    if (insecure) {
      settings.put("host", "127.0.0.1");
      settings.put("api.token", "");
      settings.put("api.token-file", "");
    } else if (tokenOf(environment).isBlank()) {
      throw new IllegalArgumentException(
          """
          mail-proxy cannot start: no administrator token. Set one, such as
            export GMP_API_TOKEN="$(head -c 24 /dev/urandom | base64)"
          or name a file that holds it by GMP_API_TOKEN_FILE;
          or, on your own machine only, start without a token: mail-proxy start --insecure-dev""");
    }
    return new Arguments(Command.START, home, settings);
  }

  /**
   * The administrator's token, for who asks for it and who is asked: {@code GMP_API_TOKEN}, else
   * what the file {@code GMP_API_TOKEN_FILE} holds; blank: neither is set.
   *
   * @throws IllegalArgumentException the file cannot be used
   */
  static String tokenOf(Map<String, String> environment) {
    String token = environment.getOrDefault("GMP_API_TOKEN", "").strip();
    if (!token.matches("[ -~]*")) {
      throw new IllegalArgumentException(
          "GMP_API_TOKEN holds what no HTTP header can: a line break, or a character beyond ASCII");
    }
    try {
      return SecretFile.secretOr(
          token, homeOf(environment), environment.getOrDefault("GMP_API_TOKEN_FILE", ""));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("GMP_API_TOKEN_FILE: " + e.getMessage());
    }
  }

  /** Whether these arguments run the proxy: {@code start} or {@code demo}, and no call for help. */
  public static boolean serves(String[] args) {
    boolean named = args.length > 0 && (args[0].equals("start") || args[0].equals("demo"));
    return named && Arrays.stream(args).noneMatch(a -> a.equals("--help") || a.equals("-h"));
  }

  /** The folder to run from. */
  public static Path homeOf(Map<String, String> environment) {
    return home(environment, program(), Path.of(System.getProperty("user.dir")));
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
