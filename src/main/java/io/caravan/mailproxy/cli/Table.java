package io.caravan.mailproxy.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Rows of texts below a head; what comes from outside cannot steer the terminal. */
final class Table {
  private static final String GAP = "  ";

  private final List<String> head;
  private final List<List<String>> rows = new ArrayList<>();

  Table(String... head) {
    this.head = List.of(head);
  }

  /** One value for each column. */
  void row(String... values) {
    rows.add(List.of(values).stream().map(Table::clean).toList());
  }

  /** A row for each node: the values of its fields. */
  Table of(Iterable<JsonNode> nodes, String... fields) {
    for (JsonNode node : nodes) {
      String[] values = new String[fields.length];
      for (int i = 0; i < fields.length; i++) {
        values[i] = text(node.path(fields[i]));
      }
      row(values);
    }
    return this;
  }

  void print(PrintStream out) {
    if (rows.isEmpty()) {
      out.println("none");
      return;
    }
    int[] widths = new int[head.size()];
    for (int i = 0; i < widths.length; i++) {
      widths[i] = head.get(i).length();
      for (List<String> row : rows) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    out.println(line(head, widths));
    rows.forEach(row -> out.println(line(row, widths)));
  }

  /** Comma-separated, RFC 4180. */
  void printCsv(PrintStream out) {
    out.println(String.join(",", head));
    for (List<String> row : rows) {
      out.println(String.join(",", row.stream().map(Table::cell).toList()));
    }
  }

  /** What a spreadsheet would run is marked as text (reliability-security B63). */
  static String cell(String value) {
    boolean runs = !value.isEmpty() && "=+-@\t\r".indexOf(value.charAt(0)) >= 0;
    String safe = runs ? "'" + value : value;
    return "\"" + safe.replace("\"", "\"\"") + "\"";
  }

  /** A value as people read it; blank: there is none. */
  static String text(JsonNode value) {
    return value.isMissingNode() || value.isNull()
        ? ""
        : value.isValueNode() ? value.asText() : value.toString();
  }

  /** Unix seconds as a moment; blank: there is none. */
  static String moment(JsonNode seconds) {
    return seconds.isNumber() ? Instant.ofEpochSecond(seconds.longValue()).toString() : "";
  }

  /** Without control characters and marks of direction. */
  static String clean(String text) {
    StringBuilder clean = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              int type = Character.getType(c);
              boolean steers = type == Character.CONTROL || type == Character.FORMAT;
              clean.appendCodePoint(steers ? ' ' : c);
            });
    return clean.toString();
  }

  private static String line(List<String> values, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      line.append(values.get(i)).append(" ".repeat(widths[i] - values.get(i).length())).append(GAP);
    }
    return line.toString().stripTrailing();
  }
}
