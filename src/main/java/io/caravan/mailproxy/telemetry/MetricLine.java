package io.caravan.mailproxy.telemetry;

import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The line that sums up what happened lately: counters as what they grew by since the last line,
 * gauges as they are. Values of labelled families are summed up.
 */
public final class MetricLine {
  private static final double NANOS = 1e9;
  private static final double MILLIS = 1e6;

  private final Readings readings;
  private final MeterRegistry registry;
  private final PrometheusText prometheus;
  private final Map<String, Double> last = new HashMap<>();
  private long lastAt = System.nanoTime();

  public MetricLine(Readings readings, MeterRegistry registry, PrometheusText prometheus) {
    this.readings = readings;
    this.registry = registry;
    this.prometheus = prometheus;
  }

  /** The line, in the form {@code key=value key=value}. */
  public synchronized String line() {
    long now = System.nanoTime();
    PrometheusText.Scrapes scrapes = prometheus.takeScrapes();
    StringBuilder line = new StringBuilder("metrics");
    line.append(String.format(Locale.ROOT, " interval=%.1fs", (now - lastAt) / NANOS));
    line.append(" series=");
    line.append(readings.read().stream().mapToInt(reading -> reading.series().size()).sum());
    line.append(" scrapes=").append(scrapes.count());
    line.append(String.format(Locale.ROOT, " scrape_max_ms=%.1f", scrapes.longestNanos() / MILLIS));
    grown(line, "statsd_lines", sum("telemetry.statsd.lines"));
    grown(line, "statsd_dropped", sum("telemetry.statsd.dropped"));
    grown(line, "new", sum("messages.new"));
    grown(line, "started", sum("attempts.started"));
    for (String result : List.of("success", "deferral", "failure", "connmaxout")) {
      grown(line, result, sum(Telemetry.ALL_ATTEMPTS, "result", result));
    }
    gauge(line, "pending", sum("mail.pending"));
    gauge(line, "intake", sum("intake.messages"));
    gauge(line, "ram", sum("queue.ram.batches"));
    gauge(line, "active", sum("attempts.active"));
    gauge(line, "connections", sum("connections.active"));
    gauge(line, "retry_delay_s", sum("queue.disk.delay"));
    gauge(line, "events_pending", sum("events.waiting"));
    lastAt = now;
    return line.toString();
  }

  private double sum(String meter, String... tags) {
    return registry.find(meter).tags(tags).meters().stream()
        .mapToDouble(found -> found.measure().iterator().next().getValue())
        .sum();
  }

  private void grown(StringBuilder line, String key, double value) {
    Double before = last.put(key, value);
    gauge(line, key, before == null ? value : value - before);
  }

  private static void gauge(StringBuilder line, String key, double value) {
    line.append(' ').append(key).append('=');
    line.append(
        value == Math.rint(value)
            ? String.valueOf((long) value)
            : String.format(Locale.ROOT, "%.1f", value));
  }
}
