package io.caravan.mailproxy.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.apache.logging.log4j.LogManager;

/** Sets up the log before anything logs: {@code LOG_LEVEL}, {@code LOG_FORMAT}, log4j2.xml. */
public final class Logs {
  private Logs() {}

  /**
   * Hands the environment's wishes to {@code config/log4j2.xml}.
   *
   * @param environment {@code LOG_LEVEL}: Python's level names are understood as well; {@code
   *     LOG_FORMAT}: {@code json}, or {@code plain}
   * @throws IllegalArgumentException one of them is something else
   */
  public static void prepare(Path home, Map<String, String> environment) {
    Path file = home.resolve("config/log4j2.xml");
    if (Files.exists(file)) {
      System.setProperty("log4j2.configurationFile", file.toUri().toString());
    }
    System.setProperty("mailproxy.home", home.toString());
    if (canHold(home.resolve("log/metrics"))) {
      System.setProperty("mailproxy.log.metrics", "file");
    } else {
      System.err.println(
          "cannot write to " + home.resolve("log/metrics") + ": no file with the metric line");
    }
    String level =
        environment.getOrDefault("GMP_LOG_LEVEL", environment.getOrDefault("LOG_LEVEL", "INFO"));
    System.setProperty("mailproxy.log.level", level(level));
    System.setProperty("mailproxy.log.format", form(environment.getOrDefault("LOG_FORMAT", "")));
  }

  private static boolean canHold(Path folder) {
    for (Path place = folder; place != null; place = place.getParent()) {
      if (Files.exists(place)) {
        return Files.isDirectory(place) && Files.isWritable(place);
      }
    }
    return false;
  }

  /**
   * Looks at the environment's wishes alone.
   *
   * @throws IllegalArgumentException one of them is something else
   */
  public static void check(Map<String, String> environment) {
    level(environment.getOrDefault("GMP_LOG_LEVEL", environment.getOrDefault("LOG_LEVEL", "INFO")));
    form(environment.getOrDefault("LOG_FORMAT", ""));
  }

  /** No log at all: a command's answer is what it prints. */
  public static void silence() {
    System.setProperty("org.apache.logging.log4j.level", "OFF");
  }

  /** Writes out what is still buffered. */
  public static void flush() {
    LogManager.shutdown();
  }

  private static String level(String name) {
    String upper = name.strip().toUpperCase(Locale.ROOT);
    return switch (upper) {
      case "WARNING" -> "WARN";
      case "CRITICAL" -> "FATAL";
      case "NOTSET" -> "ALL";
      case "", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF", "ALL" ->
          upper.isEmpty() ? "INFO" : upper;
      default -> throw new IllegalArgumentException("LOG_LEVEL is no level: " + name);
    };
  }

  private static String form(String name) {
    return switch (name.strip().toLowerCase(Locale.ROOT)) {
      case "json" -> "Json";
      case "", "plain" -> "Plain";
      default ->
          throw new IllegalArgumentException("LOG_FORMAT is neither json nor plain: " + name);
    };
  }
}
