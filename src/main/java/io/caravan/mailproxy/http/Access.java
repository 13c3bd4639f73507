package io.caravan.mailproxy.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/** Who may call which operation, from {@code http/access.tsv}; what is not in it nobody may. */
public final class Access {

  /** Who may. */
  public enum Who {
    /** Anybody, without a token. */
    ANYBODY,
    /** Any valid token. */
    TOKEN,
    /** The administrator, and a tenant for itself: the query and the body name no other one. */
    TENANT,
    /** The administrator, and the tenant that the path names. */
    OWNER,
    /** The administrator alone. */
    ADMIN,
    /** Nobody. */
    NOBODY
  }

  /**
   * An operation of the API: a method on a path, known by its route's id.
   *
   * @param command its name in the command log; {@code -}: it changes nothing
   */
  public record Operation(String method, String path, Who who, String command) {
    static final Operation UNKNOWN = new Operation("", "", Who.NOBODY, NO_COMMAND);

    boolean logged() {
      return !command.equals(NO_COMMAND);
    }
  }

  private static final String NO_COMMAND = "-";

  private static final Map<String, Operation> TABLE = load();

  private Access() {}

  /** All operations by their ids. */
  public static Map<String, Operation> table() {
    return TABLE;
  }

  static Operation to(String operation) {
    return TABLE.getOrDefault(operation, Operation.UNKNOWN);
  }

  private static Map<String, Operation> load() {
    Map<String, Operation> table = new HashMap<>();
    try (InputStream in = Objects.requireNonNull(Access.class.getResourceAsStream("access.tsv"))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      text.lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split("\t", -1))
          .forEach(
              row ->
                  table.put(
                      row[0],
                      new Operation(
                          row[1], row[2], Who.valueOf(row[3].toUpperCase(Locale.ROOT)), row[4])));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Map.copyOf(table);
  }
}
