package io.caravan.mailproxy.telemetry;

import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Statistic;
import io.micrometer.core.instrument.Tag;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.camel.Exchange;

/**
 * Writes the meters in Prometheus text format 0.0.4: the catalogue's families first, under their
 * documented names and HELP lines, then everything else under names made by Prometheus' rules.
 */
public final class PrometheusText {
  private static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
  private static final Pattern NOT_IN_NAME = Pattern.compile("[^a-zA-Z0-9_:]");

  private final MeterRegistry registry;
  private final Catalogue catalogue;

  public PrometheusText(MeterRegistry registry, Catalogue catalogue) {
    this.registry = registry;
    this.catalogue = catalogue;
  }

  /** {@code GET /metrics}. */
  public void answer(Exchange exchange) {
    var message = exchange.getMessage();
    message.removeHeaders("*");
    message.setHeader(Exchange.CONTENT_TYPE, CONTENT_TYPE);
    message.setBody(write().getBytes(StandardCharsets.UTF_8));
  }

  /** All meters as they are now; no I/O, no lock. */
  public String write() {
    Map<String, List<Meter>> byName = new TreeMap<>();
    registry.forEachMeter(
        meter ->
            byName.computeIfAbsent(meter.getId().getName(), n -> new ArrayList<>()).add(meter));
    StringBuilder out = new StringBuilder(16_384);
    for (Catalogue.Family family : catalogue.families()) {
      List<Meter> meters = byName.remove(family.name());
      if (meters != null) {
        head(out, family.name(), family.type(), family.help());
        meters.forEach(meter -> documented(out, family, meter));
      }
    }
    byName.forEach((name, meters) -> rest(out, name, meters));
    return out.toString();
  }

  private static void documented(StringBuilder out, Catalogue.Family family, Meter meter) {
    List<Tag> labels = new ArrayList<>();
    for (String label : family.labels()) {
      labels.add(Tag.of(label, String.valueOf(meter.getId().getTag(label))));
    }
    sample(out, family.name(), labels, meter.measure().iterator().next().getValue());
  }

  /** Micrometer's meters under Prometheus' naming rules: snake case, units and _total as suffix. */
  private static void rest(StringBuilder out, String meterName, List<Meter> meters) {
    Meter.Type type = meters.get(0).getId().getType();
    String unit = meters.get(0).getId().getBaseUnit();
    String base = name(meterName);
    if (type == Meter.Type.TIMER || type == Meter.Type.LONG_TASK_TIMER) {
      unit = "seconds";
    }
    if (unit != null && !base.endsWith("_" + name(unit))) {
      base += "_" + name(unit);
    }
    String help = meters.get(0).getId().getDescription();
    String text = help == null ? " " : help;
    switch (type) {
      case COUNTER -> {
        String total = base.endsWith("_total") ? base : base + "_total";
        head(out, total, "counter", text);
        meters.forEach(m -> sample(out, total, m.getId().getTags(), value(m, Statistic.COUNT)));
      }
      case TIMER, DISTRIBUTION_SUMMARY, LONG_TASK_TIMER -> summary(out, base, text, meters);
      default -> {
        String gauge = base;
        head(out, gauge, "gauge", text);
        meters.forEach(m -> sample(out, gauge, m.getId().getTags(), value(m, Statistic.VALUE)));
      }
    }
  }

  private static void summary(StringBuilder out, String base, String help, List<Meter> meters) {
    head(out, base, "summary", help);
    for (Meter meter : meters) {
      List<Tag> tags = meter.getId().getTags();
      boolean active = meter.getId().getType() == Meter.Type.LONG_TASK_TIMER;
      Statistic count = active ? Statistic.ACTIVE_TASKS : Statistic.COUNT;
      Statistic sum =
          active
              ? Statistic.DURATION
              : meter.getId().getType() == Meter.Type.TIMER
                  ? Statistic.TOTAL_TIME
                  : Statistic.TOTAL;
      sample(out, base + "_count", tags, value(meter, count));
      sample(out, base + "_sum", tags, value(meter, sum));
    }
    head(out, base + "_max", "gauge", help);
    meters.forEach(m -> sample(out, base + "_max", m.getId().getTags(), value(m, Statistic.MAX)));
  }

  private static double value(Meter meter, Statistic statistic) {
    for (Measurement measurement : meter.measure()) {
      if (measurement.getStatistic() == statistic) {
        return measurement.getValue();
      }
    }
    return meter.measure().iterator().next().getValue();
  }

  private static void head(StringBuilder out, String name, String type, String help) {
    out.append("# HELP ").append(name).append(' ');
    out.append(help.replace("\\", "\\\\").replace("\n", "\\n")).append('\n');
    out.append("# TYPE ").append(name).append(' ').append(type).append('\n');
  }

  private static void sample(StringBuilder out, String name, List<Tag> labels, double value) {
    out.append(name);
    if (!labels.isEmpty()) {
      char separator = '{';
      for (Tag label : labels) {
        out.append(separator).append(name(label.getKey())).append("=\"");
        escape(out, label.getValue());
        out.append('"');
        separator = ',';
      }
      out.append('}');
    }
    out.append(' ').append(number(value)).append('\n');
  }

  /** As the documented sample writes them: {@code 1523.0}. */
  private static String number(double value) {
    if (Double.isInfinite(value)) {
      return value > 0 ? "+Inf" : "-Inf";
    }
    return Math.rint(value) == value && Math.abs(value) < 1e15
        ? (long) value + ".0"
        : Double.toString(value);
  }

  private static void escape(StringBuilder out, String value) {
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

  private static String name(String text) {
    return NOT_IN_NAME.matcher(text).replaceAll("_");
  }
}
