package io.caravan.mailproxy.telemetry;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The values of one reading, to be compared with each other. */
final class Figures {
  private final Map<String, Readings.Reading> families = new HashMap<>();

  Figures(List<Readings.Reading> readings) {
    readings.forEach(reading -> families.put(reading.family().name(), reading));
  }

  /** The sum of all series of a family; 0: it has none, or is not exposed. */
  double of(String family) {
    return of(family, Map.of());
  }

  /** The sum of the series that have these labels. */
  double of(String family, Map<String, String> labels) {
    return by(family, List.of(), labels).values().stream().mapToDouble(v -> v).sum();
  }

  /** The sums of the series by the values of a label. */
  Map<List<String>, Double> by(String family, String label) {
    return by(family, List.of(label), Map.of());
  }

  /**
   * The sums of the series that have certain labels, by the values of others; in one pass, for
   * there may be many.
   */
  Map<List<String>, Double> by(String family, List<String> by, Map<String, String> labels) {
    Readings.Reading reading = families.get(family);
    Map<List<String>, Double> sums = new HashMap<>();
    if (reading != null) {
      List<String> names = reading.family().labels().stream().map(Catalogue.Label::name).toList();
      for (Readings.Series series : reading.series()) {
        List<String> values = series.labels();
        if (labels.entrySet().stream()
            .allMatch(
                label -> label.getValue().equals(values.get(names.indexOf(label.getKey()))))) {
          List<String> key = by.stream().map(label -> values.get(names.indexOf(label))).toList();
          sums.merge(key, series.value(), Double::sum);
        }
      }
    }
    return sums;
  }
}
