package io.caravan.mailproxy.telemetry;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes StatsD lines of readings: counters as what they have grown by, gauges as they are,
 * histograms as a choice of what was measured. Series of one key are one: counters and gauges add
 * up. Used by one thread at a time.
 */
final class StatsdLines {
  private static final double MILLIS = 1e3;
  private static final Logger LOG = LoggerFactory.getLogger(StatsdLines.class);

  private final StatsdKeys keys;

  /** Counters as last read, so that none is taken for grown twice. */
  private Map<Id, Long> counted = new HashMap<>();

  /** What counters have grown by and no server was sent, by key; 0: the key is new. */
  private final Map<String, Long> unsent = new LinkedHashMap<>();

  /** Counters that a server knows of. */
  private final Set<String> announced = new HashSet<>();

  /** Keys of several gauges, warned of. */
  private final Set<String> shared = new HashSet<>();

  StatsdLines(StatsdKeys keys) {
    this.keys = keys;
  }

  private record Id(String family, List<String> labels) {}

  /**
   * What there is to send. Growth of counters is here again until it {@link #left}; durations are
   * not, as they are taken out of their histograms.
   */
  List<StatsdLine> of(List<Readings.Reading> readings) {
    Map<Id, Long> counters = new HashMap<>();
    Set<String> counterKeys = new HashSet<>();
    Map<String, Double> gauges = new LinkedHashMap<>();
    List<StatsdLine> durations = new ArrayList<>();
    for (Readings.Reading reading : readings) {
      Catalogue.Family family = reading.family();
      for (Readings.Series series : reading.series()) {
        String key = keys.of(family, series.labels());
        switch (family.type()) {
          case COUNTER -> {
            Id id = new Id(family.name(), series.labels());
            counters.put(id, (long) series.value());
            counterKeys.add(key);
            grown(key, (long) series.value(), counted.getOrDefault(id, 0L));
          }
          case GAUGE -> gauge(gauges, key, series.value() * (family.inMilliseconds() ? MILLIS : 1));
          case HISTOGRAM -> series.histograms().forEach(h -> durations(durations, key, h));
        }
      }
    }
    counted = counters;
    announced.retainAll(counterKeys);
    unsent.keySet().retainAll(counterKeys);
    shared.retainAll(gauges.keySet());
    List<StatsdLine> lines = new ArrayList<>();
    unsent.forEach((key, delta) -> lines.add(StatsdLine.counter(key, delta)));
    gauges.forEach((key, value) -> lines.add(StatsdLine.gauge(key, value)));
    lines.addAll(durations);
    return lines;
  }

  /** A line of the last call is with the network. */
  void left(StatsdLine line) {
    if (line.counter()) {
      unsent.remove(line.key());
      announced.add(line.key());
    }
  }

  /** The server may have lost what it knew: each counter is sent once more, be it as 0. */
  void announceAgain() {
    announced.clear();
  }

  /** A counter that is less than before is another one: its account went and came back. */
  private void grown(String key, long now, long before) {
    long delta = now < before ? now : now - before;
    if (delta > 0 || !announced.contains(key)) {
      unsent.merge(key, delta, Long::sum);
    }
  }

  /** Values that are no numbers are left out: what they should show is not there. */
  private void gauge(Map<String, Double> gauges, String key, double value) {
    if (!Double.isFinite(value)) {
      return;
    }
    double shown = Math.max(0, value);
    Double other = gauges.put(key, shown);
    if (other != null) {
      gauges.put(key, other + shown);
      if (shared.add(key)) {
        LOG.warn("StatsD key {} stands for several gauges, it shows their sum", key);
      }
    }
  }

  private static void durations(List<StatsdLine> lines, String key, Histogram histogram) {
    Histogram.Samples samples = histogram.takeSamples();
    double rate = samples.nanos().size() / (double) Math.max(1, samples.of());
    for (long nanos : samples.nanos()) {
      lines.add(StatsdLine.timing(key, nanos, rate));
    }
  }
}
