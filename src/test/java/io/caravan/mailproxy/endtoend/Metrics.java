package io.caravan.mailproxy.endtoend;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** One scrape of a proxy: each series, as it is written, and its value. */
public final class Metrics {
  private final Map<String, Double> series = new LinkedHashMap<>();

  private Metrics(String text) {
    text.lines()
        .filter(line -> !line.startsWith("#"))
        .forEach(
            line -> {
              int end = line.lastIndexOf(' ');
              series.put(
                  line.substring(0, end),
                  Double.valueOf(line.substring(end + 1).replace("+Inf", "Infinity")));
            });
  }

  public static Metrics of(TestProxy proxy) {
    return new Metrics(proxy.get("/metrics").body());
  }

  public static Metrics of(ProxyProcess proxy) throws IOException {
    try (KeepAlive connection = proxy.connect()) {
      return new Metrics(connection.get("/metrics").body());
    }
  }

  /** A series by its whole name, such as {@code a_total{b="c"}}. */
  public double of(String name) {
    Double value = series.get(name);
    if (value == null) {
      throw new AssertionError("no series " + name);
    }
    return value;
  }

  /** The sum of all series of a family whose labels contain a text. */
  public double sum(String family, String labels) {
    return series.entrySet().stream()
        .filter(entry -> entry.getKey().split("\\{", 2)[0].equals(family))
        .filter(entry -> entry.getKey().contains(labels))
        .mapToDouble(Map.Entry::getValue)
        .sum();
  }

  public double sum(String family) {
    return sum(family, "");
  }

  /** Whether any series has such a text in its name. */
  public boolean mentions(String text) {
    return series.keySet().stream().anyMatch(name -> name.contains(text));
  }
}
