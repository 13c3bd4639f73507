package io.caravan.mailproxy.telemetry;

import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Statistic;
import io.micrometer.core.instrument.Tag;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * The meters that no documented family shows, such as Camel's and the virtual machine's, under
 * names made by Prometheus' rules: snake case, units and {@code _total} as suffix.
 */
public final class OtherMeters {
  private static final Pattern NOT_IN_NAME = Pattern.compile("[^a-zA-Z0-9_:]");
  private static final String CAMEL = "camel.";

  private final MeterRegistry registry;
  private final Readings readings;
  private final boolean camel;

  /**
   * @param camel whether Camel's meters are written ({@code telemetry.camel-meters})
   */
  public OtherMeters(MeterRegistry registry, Readings readings, boolean camel) {
    this.registry = registry;
    this.readings = readings;
    this.camel = camel;
  }

  void write(ExpositionText out) {
    Map<String, List<Meter>> byName = new TreeMap<>();
    registry.forEachMeter(
        meter -> {
          String name = meter.getId().getName();
          if (!readings.documented(name) && (camel || !name.startsWith(CAMEL))) {
            byName.computeIfAbsent(name, n -> new ArrayList<>()).add(meter);
          }
        });
    byName.forEach((name, meters) -> write(out, name, meters));
  }

  private static void write(ExpositionText out, String meterName, List<Meter> meters) {
    Meter.Type type = meters.get(0).getId().getType();
    String unit = meters.get(0).getId().getBaseUnit();
    if (type == Meter.Type.TIMER || type == Meter.Type.LONG_TASK_TIMER) {
      unit = "seconds";
    }
    String bare = name(meterName);
    String base = unit == null || bare.endsWith("_" + name(unit)) ? bare : bare + "_" + name(unit);
    String help = meters.get(0).getId().getDescription();
    String text = help == null ? " " : help;
    if (meters.get(0) instanceof Histogram) {
      out.head(base, "histogram", text);
      meters.forEach(meter -> histogram(out, base, (Histogram) meter));
      return;
    }
    switch (type) {
      case COUNTER -> {
        String total = base.endsWith("_total") ? base : base + "_total";
        out.head(total, "counter", text);
        meters.forEach(m -> sample(out, total, m, Statistic.COUNT));
      }
      case TIMER, DISTRIBUTION_SUMMARY, LONG_TASK_TIMER -> summary(out, base, text, meters);
      default -> {
        out.head(base, "gauge", text);
        meters.forEach(m -> sample(out, base, m, Statistic.VALUE));
      }
    }
  }

  private static void summary(ExpositionText out, String base, String help, List<Meter> meters) {
    out.head(base, "summary", help);
    for (Meter meter : meters) {
      Meter.Type type = meter.getId().getType();
      boolean active = type == Meter.Type.LONG_TASK_TIMER;
      Statistic sum = type == Meter.Type.TIMER ? Statistic.TOTAL_TIME : Statistic.TOTAL;
      sample(out, base + "_count", meter, active ? Statistic.ACTIVE_TASKS : Statistic.COUNT);
      sample(out, base + "_sum", meter, active ? Statistic.DURATION : sum);
    }
    out.head(base + "_max", "gauge", help);
    meters.forEach(m -> sample(out, base + "_max", m, Statistic.MAX));
  }

  private static void histogram(ExpositionText out, String name, Histogram meter) {
    List<Tag> tags = meter.getId().getTags();
    out.histogram(
        name,
        tags.stream().map(tag -> name(tag.getKey())).toList(),
        tags.stream().map(Tag::getValue).toList(),
        meter.cumulative(),
        meter.totalTime(TimeUnit.SECONDS),
        meter::exemplar);
  }

  private static void sample(ExpositionText out, String name, Meter meter, Statistic statistic) {
    List<Tag> tags = meter.getId().getTags();
    out.sample(
        name,
        tags.stream().map(tag -> name(tag.getKey())).toList(),
        tags.stream().map(Tag::getValue).toList(),
        value(meter, statistic));
    out.end(null);
  }

  private static double value(Meter meter, Statistic statistic) {
    for (Measurement measurement : meter.measure()) {
      if (measurement.getStatistic() == statistic) {
        return measurement.getValue();
      }
    }
    return meter.measure().iterator().next().getValue();
  }

  private static String name(String text) {
    return NOT_IN_NAME.matcher(text).replaceAll("_");
  }
}
