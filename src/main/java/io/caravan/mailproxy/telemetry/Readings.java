package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.message.Counting;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The documented families as they are now, from the meters that the catalogue names for them: the
 * one source of everything that is written to a telemetry back end. Reading does no I/O.
 */
public final class Readings {
  private final MeterRegistry registry;
  private final Catalogue catalogue;
  private final Counting counting;
  private final Set<String> documented;

  public Readings(MeterRegistry registry, Catalogue catalogue, Counting counting) {
    this.registry = registry;
    this.counting = counting;
    this.catalogue = catalogue;
    this.documented =
        catalogue.all().stream()
            .map(Catalogue.Family::meter)
            .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * A family and its series, in the order in which the meters came to be.
   *
   * @param series empty: the part exists, and has nothing yet to tell of
   */
  public record Reading(Catalogue.Family family, List<Series> series) {}

  /** One series: meters that differ only in tags which are no labels are one. */
  public static final class Series {
    private final List<String> labels;
    private double value;
    private long[] buckets = {};
    private final List<Histogram> histograms = new ArrayList<>(1);
    private @Nullable Exemplar exemplar;

    private Series(List<String> labels) {
      this.labels = labels;
    }

    /** Values of the family's labels, in their order. */
    public List<String> labels() {
      return labels;
    }

    /** The counter's or gauge's value; of a histogram, the sum of all that was measured. */
    public double value() {
      return value;
    }

    /** Cumulative counts by {@link Histogram#BOUNDS} and above; empty: no histogram. */
    public long[] buckets() {
      return buckets.clone();
    }

    /** Whom a counter counted last. */
    public @Nullable Exemplar exemplar() {
      return exemplar;
    }

    /** Who fell into a bucket last. */
    @Nullable Exemplar exemplar(int bucket) {
      Exemplar last = null;
      for (Histogram histogram : histograms) {
        last = later(last, histogram.exemplar(bucket));
      }
      return last;
    }

    List<Histogram> histograms() {
      return histograms;
    }

    private void add(Sample sample) {
      value += sample.value;
      if (sample.meter instanceof Histogram histogram) {
        long[] counts = sample.buckets;
        buckets = buckets.length == 0 ? new long[counts.length] : buckets;
        Arrays.setAll(buckets, i -> buckets[i] + counts[i]);
        histograms.add(histogram);
      } else if (sample.meter instanceof TracedCounter counter) {
        exemplar = later(exemplar, counter.exemplar());
      }
    }

    private static @Nullable Exemplar later(@Nullable Exemplar a, @Nullable Exemplar b) {
      return a == null || (b != null && b.at() > a.at()) ? b : a;
    }
  }

  /** A meter and what it said, once for all families that show it. */
  private static final class Sample {
    private final Meter meter;
    private final double value;
    private final long[] buckets;

    Sample(Meter meter) {
      this.meter = meter;
      boolean spread = meter instanceof Histogram;
      this.value =
          spread
              ? ((Histogram) meter).totalTime(TimeUnit.SECONDS)
              : meter.measure().iterator().next().getValue();
      this.buckets = spread ? ((Histogram) meter).cumulative() : new long[0];
    }
  }

  /** All families that are exposed, as of one moment. */
  public List<Reading> read() {
    Map<String, List<Sample>> byName = counting.read(() -> Moment.reading(this::samples));
    List<Reading> readings = new ArrayList<>();
    for (Catalogue.Family family : catalogue.families()) {
      readings.add(read(family, byName.getOrDefault(family.meter(), List.of())));
    }
    return readings;
  }

  private Map<String, List<Sample>> samples() {
    Map<String, List<Sample>> byName = new HashMap<>();
    registry.forEachMeter(
        meter -> {
          String name = meter.getId().getName();
          if (documented.contains(name)) {
            byName.computeIfAbsent(name, n -> new ArrayList<>()).add(new Sample(meter));
          }
        });
    return byName;
  }

  private static Reading read(Catalogue.Family family, List<Sample> samples) {
    Map<List<String>, Series> series = new LinkedHashMap<>();
    for (Sample sample : samples) {
      Meter meter = sample.meter;
      if (family.filter().entrySet().stream()
          .allMatch(tag -> tag.getValue().equals(meter.getId().getTag(tag.getKey())))) {
        series.computeIfAbsent(labels(family, meter), Series::new).add(sample);
      }
    }
    return new Reading(family, List.copyOf(series.values()));
  }

  private static List<String> labels(Catalogue.Family family, Meter meter) {
    List<String> values = new ArrayList<>(family.labels().size());
    for (Catalogue.Label label : family.labels()) {
      values.add(String.valueOf(meter.getId().getTag(label.tag())));
    }
    return values;
  }

  /** Whether a meter feeds a documented family, so that it is not written under its own name. */
  boolean documented(String meter) {
    return documented.contains(meter);
  }
}
