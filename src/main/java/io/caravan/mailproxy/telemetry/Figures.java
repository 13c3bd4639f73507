package io.caravan.mailproxy.telemetry;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

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
    Readings.Reading reading = families.get(family);
    double sum = 0;
    if (reading != null) {
      for (Readings.Series series : reading.series()) {
        if (labels.entrySet().stream()
            .allMatch(label -> label.getValue().equals(value(reading, series, label.getKey())))) {
          sum += series.value();
        }
      }
    }
    return sum;
  }

  /** All values of a label. */
  Set<String> values(String family, String label) {
    Readings.Reading reading = families.get(family);
    Set<String> values = new TreeSet<>();
    if (reading != null) {
      reading.series().forEach(series -> values.add(value(reading, series, label)));
    }
    return values;
  }

  private static String value(Readings.Reading reading, Readings.Series series, String label) {
    List<String> names = reading.family().labels().stream().map(Catalogue.Label::name).toList();
    return series.labels().get(names.indexOf(label));
  }
}
