package io.caravan.mailproxy.telemetry;

import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Lines of a Prometheus exposition, in either form. */
final class ExpositionText {
  private static final String TOTAL = "_total";
  private static final double EXACT = 1e15;

  private final StringBuilder out;
  private final boolean openMetrics;

  ExpositionText(int capacity, Format format) {
    out = new StringBuilder(capacity);
    openMetrics = format == Format.OPENMETRICS;
  }

  /** Begins a family. OpenMetrics names a counter without the suffix that its samples have. */
  void head(String name, String type, String help) {
    String lower = type.toLowerCase(Locale.ROOT);
    String family =
        openMetrics && lower.equals("counter") && name.endsWith(TOTAL)
            ? name.substring(0, name.length() - TOTAL.length())
            : name;
    String words = help.replace("\\", "\\\\").replace("\n", "\\n");
    out.append("# HELP ").append(family).append(' ');
    out.append(openMetrics ? words.replace("\"", "\\\"") : words).append('\n');
    out.append("# TYPE ").append(family).append(' ').append(lower).append('\n');
  }

  /** A sample, up to its value. */
  void sample(String name, List<String> labels, List<String> values, double value) {
    out.append(name);
    char separator = labels(labels, values);
    out.append(separator == ',' ? "} " : " ").append(number(value));
  }

  /**
   * All samples of a histogram.
   *
   * @param buckets cumulative counts by {@link Histogram#BOUNDS} and above; empty: nothing yet
   * @param exemplars of each bucket
   */
  void histogram(
      String name,
      List<String> labels,
      List<String> values,
      long[] buckets,
      double sum,
      IntFunction<@Nullable Exemplar> exemplars) {
    for (int i = 0; i < buckets.length; i++) {
      double bound = i < Histogram.BOUNDS.length ? Histogram.BOUNDS[i] : Double.POSITIVE_INFINITY;
      bucket(name, labels, values, bound, buckets[i]);
      end(exemplars.apply(i));
    }
    double count = buckets.length == 0 ? 0 : (double) buckets[buckets.length - 1];
    sample(name + "_count", labels, values, count);
    end(null);
    sample(name + "_sum", labels, values, sum);
    end(null);
  }

  /** A bucket of a histogram, up to its count. */
  void bucket(String name, List<String> labels, List<String> values, double bound, long count) {
    out.append(name).append("_bucket");
    out.append(labels(labels, values)).append("le=\"").append(number(bound)).append("\"} ");
    out.append(number((double) count));
  }

  /** Ends a sample, with an exemplar where the form has room for one. */
  void end(@Nullable Exemplar exemplar) {
    if (openMetrics && exemplar != null) {
      out.append(" # {").append(exemplar.label()).append("=\"");
      escape(exemplar.id());
      out.append("\"} ").append(number(exemplar.value())).append(' ');
      out.append(exemplar.at() / 1000).append('.');
      out.append(String.format(Locale.ROOT, "%03d", exemplar.at() % 1000));
    }
    out.append('\n');
  }

  String finish() {
    return openMetrics ? out.append("# EOF\n").toString() : out.toString();
  }

  /**
   * Writes the labels but for the closing brace; returns what must stand before one more. A label
   * without a value is left out, which is the same to Prometheus.
   */
  private char labels(List<String> labels, List<String> values) {
    char separator = '{';
    for (int i = 0; i < labels.size(); i++) {
      if (values.get(i).isEmpty()) {
        continue;
      }
      out.append(separator).append(labels.get(i)).append("=\"");
      escape(values.get(i));
      out.append('"');
      separator = ',';
    }
    return separator;
  }

  /** As the documented sample writes them: {@code 1523.0}. */
  static String number(double value) {
    if (Double.isInfinite(value)) {
      return value > 0 ? "+Inf" : "-Inf";
    }
    return Math.rint(value) == value && Math.abs(value) < EXACT
        ? (long) value + ".0"
        : Double.toString(value);
  }

  private void escape(String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '\\' -> out.append("\\\\");
        case '"' -> out.append("\\\"");
        case '\n' -> out.append("\\n");
        default -> out.append(c);
      }
    }
  }
}
