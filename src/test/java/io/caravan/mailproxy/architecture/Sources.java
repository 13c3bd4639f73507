package io.caravan.mailproxy.architecture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The product's own source files. */
final class Sources {
  private static final Pattern COMMENT = Pattern.compile("(?s)/\\*.*?\\*/");
  private static final Pattern NO_CODE = Pattern.compile("\\s*((//|import\\s|package\\s).*)?");

  private Sources() {}

  static List<Path> java() {
    try (Stream<Path> all = Files.walk(Path.of("src/main/java"))) {
      return all.filter(file -> file.toString().endsWith(".java")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Lines that are neither blank nor comment, import or package. */
  static long codeLines(Path file) {
    return COMMENT
        .matcher(text(file))
        .replaceAll("")
        .lines()
        .filter(line -> !NO_CODE.matcher(line).matches())
        .count();
  }

  /** The name of the class a file is for. */
  static String name(Path file) {
    return file.getFileName().toString().replace(".java", "");
  }
}
