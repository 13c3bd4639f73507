package io.caravan.mailproxy.telemetry;

import io.micrometer.core.instrument.AbstractTimer;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.core.instrument.distribution.pause.NoPauseDetector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** A timer with fixed buckets, read without a lock. */
final class Histogram extends AbstractTimer {
  /** Upper bounds in seconds, 1 ms to 60 s; above them is one more bucket (DECISIONS, Names). */
  static final double[] BOUNDS = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
  };

  private static final double NANOS = 1e9;
  private static final int MAX_SAMPLES = 100;

  private final LongAdder[] buckets = new LongAdder[BOUNDS.length + 1];
  private final AtomicReferenceArray<@Nullable Exemplar> exemplars =
      new AtomicReferenceArray<>(BOUNDS.length + 1);
  private final LongAdder nanos = new LongAdder();
  private final AtomicInteger seen = new AtomicInteger();
  private final AtomicLongArray samples = new AtomicLongArray(MAX_SAMPLES);

  Histogram(Meter.Id id, Clock clock) {
    super(
        id,
        clock,
        DistributionStatisticConfig.NONE,
        new NoPauseDetector(),
        TimeUnit.SECONDS,
        false);
    for (int i = 0; i < buckets.length; i++) {
      buckets[i] = new LongAdder();
    }
  }

  @Override
  protected void recordNonNegative(long amount, TimeUnit unit) {
    long duration = unit.toNanos(amount);
    double seconds = duration / NANOS;
    int bucket = 0;
    while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]) {
      bucket++;
    }
    nanos.add(duration);
    buckets[bucket].increment();
    Exemplar exemplar = Exemplar.of(seconds);
    if (exemplar != null) {
      exemplars.set(bucket, exemplar);
    }
    int place = seen.getAndIncrement();
    if (place >= MAX_SAMPLES) {
      place = ThreadLocalRandom.current().nextInt(place + 1);
    }
    if (place >= 0 && place < MAX_SAMPLES) {
      samples.set(place, duration);
    }
  }

  /** Counts of the buckets, each with all below it; the last one is the count of all. */
  long[] cumulative() {
    long[] counts = new long[buckets.length];
    long sum = 0;
    for (int i = 0; i < counts.length; i++) {
      sum += buckets[i].sum();
      counts[i] = sum;
    }
    return counts;
  }

  @Nullable Exemplar exemplar(int bucket) {
    return exemplars.get(bucket);
  }

  /**
   * A random choice of what was measured since the last call.
   *
   * @param of how many were measured
   * @param nanos the chosen ones
   */
  record Samples(int of, List<Long> nanos) {}

  /** Takes the samples; what is being measured at this moment may miss the choice, or its count. */
  Samples takeSamples() {
    int of = seen.getAndSet(0);
    List<Long> chosen = new ArrayList<>();
    for (int i = 0; i < Math.min(of, MAX_SAMPLES); i++) {
      chosen.add(samples.get(i));
    }
    return new Samples(of, chosen);
  }

  @Override
  public long count() {
    long count = 0;
    for (LongAdder bucket : buckets) {
      count += bucket.sum();
    }
    return count;
  }

  @Override
  public double totalTime(TimeUnit unit) {
    return nanos.sum() / (double) unit.toNanos(1);
  }

  /** Not kept: no documented family shows it. */
  @Override
  public double max(TimeUnit unit) {
    return 0;
  }
}
