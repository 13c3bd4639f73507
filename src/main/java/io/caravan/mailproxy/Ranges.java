package io.caravan.mailproxy;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.camel.CamelContext;

/** What the settings that are numbers may be; a wrong one is named before anything starts. */
final class Ranges {
  private static final long MANY = 1_000_000_000;
  private static final long MAX_THREADS = 10_000;
  private static final long MAX_INT = Integer.MAX_VALUE;
  private static final long MAX_LONG = Long.MAX_VALUE;

  private record Range(long min, long max) {}

  private static final Map<String, Range> RANGES =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("port", new Range(0, 65_535)),
              Map.entry("http.max-body-bytes", new Range(1, MAX_INT)),
              Map.entry("http.workers", new Range(1, MAX_THREADS)),
              Map.entry("http.idle-seconds", new Range(1, MANY)),
              Map.entry("http.head-seconds", new Range(1, MANY)),
              Map.entry("http.body-seconds", new Range(1, MANY)),
              Map.entry("drain.seconds", new Range(0, MANY)),
              Map.entry("lease.seconds", new Range(2, MANY)),
              Map.entry("health.stall-seconds", new Range(0, MANY)),
              Map.entry("message.max-recipients", new Range(1, MAX_INT)),
              Map.entry("message.max-bytes", new Range(1, MAX_INT)),
              Map.entry("message.max-age-seconds", new Range(1, MANY)),
              Map.entry("intake.max-messages", new Range(1, MAX_INT)),
              Map.entry("intake.max-bytes", new Range(1, MAX_LONG)),
              Map.entry("queue.ram.concurrencyremote", new Range(1, MAX_THREADS)),
              Map.entry("queue.disk.concurrencyremote", new Range(1, MAX_THREADS)),
              Map.entry("queue.bounce.concurrencyremote", new Range(1, MAX_THREADS)),
              Map.entry("throttle.backlog-wait-ms", new Range(0, 60_000)),
              Map.entry("greenarrow_proxy_max_unacknowledged_requests", new Range(0, MANY)),
              Map.entry("queue.ram.max-batches", new Range(1, MAX_INT)),
              Map.entry("queue.ram.max-bytes", new Range(1, MAX_LONG)),
              Map.entry("retry.max-attempts", new Range(1, MANY)),
              Map.entry("smtp.connect-timeout", new Range(1, MANY)),
              Map.entry("smtp.command-timeout", new Range(1, MANY)),
              Map.entry("smtp.dot-timeout", new Range(1, MANY)),
              Map.entry("smtp.message-deadline", new Range(1, MANY)),
              Map.entry("sync.interval", new Range(1, MANY)),
              Map.entry("sync.timeout-seconds", new Range(1, MANY)),
              Map.entry("sync.batch", new Range(1, 10_000)),
              Map.entry("sync.parallel", new Range(1, MAX_THREADS)),
              Map.entry("probe.interval-seconds", new Range(1, MANY)),
              Map.entry("delivery.report-retention-seconds", new Range(-MANY, MANY)),
              Map.entry("retention.check-seconds", new Range(1, 1800)),
              Map.entry("telemetry.count-seconds", new Range(1, MANY)),
              Map.entry("traces.timeout-seconds", new Range(1, 60)),
              Map.entry("traces.max-waiting", new Range(1, 1_000_000)),
              Map.entry("telemetry.max-series", new Range(1, MAX_INT))));

  private Ranges() {}

  /**
   * Checks all of them.
   *
   * @throws ConfigurationException some are no number, or out of their ranges
   */
  static void check(CamelContext context) {
    Map<String, String> wrong = wrong(context);
    if (!wrong.isEmpty()) {
      throw new ConfigurationException(String.join("\n  ", wrong.values()));
    }
  }

  /** What is wrong, by key; empty: nothing. */
  static Map<String, String> wrong(CamelContext context) {
    Map<String, String> wrong = new TreeMap<>();
    RANGES.forEach(
        (key, range) -> {
          String value = context.resolvePropertyPlaceholders("{{" + key + "}}");
          if (!within(range, value.strip())) {
            String variable = "GMP_" + key.replaceAll("[.-]", "_").toUpperCase(Locale.ROOT);
            wrong.put(
                key,
                "setting %s (%s) is \"%s\", it must be a number from %d to %d"
                    .formatted(key, variable, value, range.min(), range.max()));
          }
        });
    return wrong;
  }

  private static boolean within(Range range, String value) {
    try {
      long number = Long.parseLong(value);
      return number >= range.min() && number <= range.max();
    } catch (NumberFormatException e) {
      return false;
    }
  }
}
