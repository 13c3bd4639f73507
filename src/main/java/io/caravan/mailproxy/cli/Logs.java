package io.caravan.mailproxy.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.apache.logging.log4j.LogManager;

/** Sets up the log before anything logs: {@code LOG_LEVEL}, {@code LOG_FORMAT}, log4j2.yaml. */
public final class Logs {
  private Logs() {}

  /**
   * Hands the environment's wishes to {@code config/log4j2.yaml}.
   *
   * @param environment {@code LOG_LEVEL}: Python's level names are understood as well; {@code
   *     LOG_FORMAT}: {@code json}, else plain
   */
  public static void prepare(Path home, Map<String, String> environment) {
    Path file = home.resolve("config/log4j2.yaml");
    if (Files.exists(file)) {
      System.setProperty("log4j2.configurationFile", file.toUri().toString());
    }
    String level =
        environment.getOrDefault("GMP_LOG_LEVEL", environment.getOrDefault("LOG_LEVEL", "INFO"));
    System.setProperty("mailproxy.log.level", level(level));
    System.setProperty(
        "mailproxy.log.format",
        environment.getOrDefault("LOG_FORMAT", "").equalsIgnoreCase("json") ? "Json" : "Plain");
  }

  /** Writes out what is still buffered. */
  public static void flush() {
    LogManager.shutdown();
  }

  private static String level(String name) {
    return switch (name.toUpperCase(Locale.ROOT)) {
      case "WARNING" -> "WARN";
      case "CRITICAL" -> "FATAL";
      case "NOTSET" -> "ALL";
      default -> name.toUpperCase(Locale.ROOT);
    };
  }
}
