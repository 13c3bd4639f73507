package io.caravan.mailproxy.db;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The statements, one a file, under {@code db/queries/}: the dialect's file of a name wins over the
 * one in {@code common/}.
 */
public final class Sql {
  private final String dialect;
  private final Map<String, String> loaded = new ConcurrentHashMap<>();

  public Sql(String dialect) {
    this.dialect = dialect;
  }

  /**
   * The text of a statement.
   *
   * @throws IllegalArgumentException there is no such file
   */
  public String load(String name) {
    return loaded.computeIfAbsent(name, this::find);
  }

  private String find(String name) {
    for (String room : new String[] {dialect, "common"}) {
      String text = read("/db/queries/" + room + "/" + name + ".sql");
      if (text != null) {
        return text;
      }
    }
    throw new IllegalArgumentException("no statement " + name + " for " + dialect);
  }

  private static @Nullable String read(String path) {
    try (InputStream in = Sql.class.getResourceAsStream(path)) {
      return in == null ? null : new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
