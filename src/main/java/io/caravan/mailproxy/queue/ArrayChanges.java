package io.caravan.mailproxy.queue;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Changes as one statement over all rows, an array for each of its places, as PostgreSQL takes them
 * with {@code unnest}. Where the counts matter, the statement returns the first values of each row
 * that was changed.
 */
final class ArrayChanges implements Changeset {
  private static final Pattern PLACE = Pattern.compile("CAST\\(\\? AS (\\w+)\\[\\]\\)");

  /** So many characters go to the store at the most before more are taken. */
  private static final int MOST_CHARACTERS = 8 << 20;

  private final PreparedStatement statement;
  private final List<String> types;
  private final List<@Nullable Object[]> rows = new ArrayList<>();
  private final List<Count> counts = new ArrayList<>();
  private int characters;

  private ArrayChanges(PreparedStatement statement, List<String> types) {
    this.statement = statement;
    this.types = types;
  }

  /** For a statement whose places are arrays; for another one null. */
  static @Nullable ArrayChanges of(PreparedStatement statement, String sql) {
    List<String> types = PLACE.matcher(sql).results().map(place -> place.group(1)).toList();
    return types.isEmpty() ? null : new ArrayChanges(statement, types);
  }

  @Override
  public Count add(@Nullable Object... values) throws SQLException {
    if (values.length != types.size()) {
      throw new IllegalArgumentException(values.length + " values for " + types);
    }
    @Nullable Object[] row = new @Nullable Object[values.length];
    for (int i = 0; i < row.length; i++) {
      row[i] = typed(values[i], types.get(i));
      characters += values[i] instanceof String text ? text.length() : Long.BYTES;
    }
    rows.add(row);
    Count count = new Count();
    counts.add(count);
    if (characters > MOST_CHARACTERS) {
      make();
    }
    return count;
  }

  @Override
  public void make() throws SQLException {
    if (rows.isEmpty()) {
      return;
    }
    for (int i = 0; i < types.size(); i++) {
      int place = i;
      Object[] column =
          rows.stream().map(row -> row[place]).toArray(size -> column(types.get(place), size));
      statement.setArray(
          place + 1, statement.getConnection().createArrayOf(types.get(place), column));
    }
    if (statement.execute()) {
      count(statement.getResultSet());
    }
    forget();
  }

  @Override
  public void forget() {
    rows.clear();
    counts.clear();
    characters = 0;
  }

  private static @Nullable Object typed(@Nullable Object value, String type) {
    if (value == null) {
      return null;
    }
    return switch (type) {
      case "bigint" -> ((Number) value).longValue();
      case "integer" -> ((Number) value).intValue();
      default -> value.toString();
    };
  }

  /** The driver sends arrays of these kinds as they are, others as text. */
  private static @Nullable Object[] column(String type, int size) {
    return switch (type) {
      case "bigint" -> new Long[size];
      case "integer" -> new Integer[size];
      default -> new String[size];
    };
  }

  private void count(ResultSet changed) throws SQLException {
    try (changed) {
      int leading = changed.getMetaData().getColumnCount();
      Map<List<@Nullable Object>, Count> asked = new HashMap<>();
      for (int i = 0; i < rows.size(); i++) {
        counts.get(i).set(0);
        asked.put(Arrays.asList(Arrays.copyOf(rows.get(i), leading)), counts.get(i));
      }
      while (changed.next()) {
        @Nullable Object[] row = new @Nullable Object[leading];
        for (int i = 0; i < leading; i++) {
          row[i] = changed.getObject(i + 1);
        }
        Objects.requireNonNull(asked.get(Arrays.asList(row))).set(1);
      }
    }
  }
}
