package io.caravan.mailproxy.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Paths of a later version of the system whose clients ours are, which are not ours (genro-api
 * 1.10), from {@code http/other-paths.tsv}.
 */
public final class OtherPaths {
  /** Stands for nothing of ours that does the same. */
  static final String NONE = "-";

  private static final Map<String, String> INSTEAD = load();

  private OtherPaths() {}

  /** Which call of ours does the same; null: we know of none. */
  public static @Nullable String hint(String path) {
    String instead = INSTEAD.get(path);
    if (instead == null) {
      return null;
    }
    return "There is no "
        + path
        + " here"
        + (instead.equals(NONE) ? ", and nothing like it" : "; " + instead + " does that");
  }

  /** What to use in the place of each path: method, blank, path of ours. */
  static Map<String, String> table() {
    return INSTEAD;
  }

  private static Map<String, String> load() {
    try (InputStream in =
        Objects.requireNonNull(OtherPaths.class.getResourceAsStream("other-paths.tsv"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split("\t", -1))
          .collect(Collectors.toUnmodifiableMap(row -> row[0], row -> row[1]));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
