package io.caravan.mailproxy.db;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One row of a result by column name, as {@code jdbc:} endpoints give it, with its types. */
public record Row(Map<String, Object> columns) {

  /** All rows of a result. */
  public static List<Row> all(List<Map<String, Object>> rows) {
    return rows.stream().map(Row::new).toList();
  }

  /** A whole number. */
  public long number(String column) {
    if (columns.get(column) instanceof Number number) {
      return number.longValue();
    }
    throw new IllegalStateException("column " + column + " holds no number");
  }

  /** A whole number, where the column is not null. */
  public @Nullable Long numberOrNull(String column) {
    return columns.get(column) == null ? null : Long.valueOf(number(column));
  }

  /** A text. */
  public String text(String column) {
    if (columns.get(column) instanceof String text) {
      return text;
    }
    throw new IllegalStateException("column " + column + " holds no text");
  }

  /** A text, where the column is not null. */
  public @Nullable String textOrNull(String column) {
    return columns.get(column) == null ? null : text(column);
  }

  /** A small number, if there is one. */
  public @Nullable Integer countOrNull(String column) {
    Long number = numberOrNull(column);
    return number == null ? null : Integer.valueOf(number.intValue());
  }

  /** A number that is 0 for no, if there is one. */
  public @Nullable Boolean flagOrNull(String column) {
    Long number = numberOrNull(column);
    return number == null ? null : Boolean.valueOf(number != 0);
  }
}
