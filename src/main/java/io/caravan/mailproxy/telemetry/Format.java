package io.caravan.mailproxy.telemetry;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The two forms in which Prometheus takes metrics. */
public enum Format {
  /** Prometheus text format 0.0.4. */
  TEXT("text/plain; version=0.0.4; charset=utf-8"),
  /** OpenMetrics 1.0. */
  OPENMETRICS("application/openmetrics-text; version=1.0.0; charset=utf-8");

  private final String contentType;

  Format(String contentType) {
    this.contentType = contentType;
  }

  public String contentType() {
    return contentType;
  }

  /**
   * The form that a client wants more (RFC 9110 section 12.5.1): text, unless it names OpenMetrics
   * and does not like it less.
   *
   * @param accept value of the header Accept; {@code null}: none was sent
   */
  public static Format of(@Nullable String accept) {
    double openMetrics = 0;
    double text = 0;
    for (String range : accept == null ? new String[0] : accept.split(",", -1)) {
      String[] part = range.toLowerCase(Locale.ROOT).split(";", -1);
      switch (part[0].strip()) {
        case "application/openmetrics-text" -> openMetrics = Math.max(openMetrics, weight(part));
        case "text/plain", "text/*" -> text = Math.max(text, weight(part));
        default -> {}
      }
    }
    return openMetrics > 0 && openMetrics >= text ? OPENMETRICS : TEXT;
  }

  private static double weight(String[] range) {
    for (String parameter : range) {
      if (parameter.strip().startsWith("q=")) {
        try {
          return Double.parseDouble(parameter.strip().substring(2));
        } catch (NumberFormatException e) {
          return 0;
        }
      }
    }
    return 1;
  }
}
