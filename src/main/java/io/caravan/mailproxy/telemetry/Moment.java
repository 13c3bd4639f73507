package io.caravan.mailproxy.telemetry;

import java.util.IdentityHashMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Something of which several gauges show a part: all of them see the same state of it in one
 * reading (telemetry.md 5, "from one consistent snapshot").
 */
final class Moment<T> {
  private static final ThreadLocal<@Nullable Map<Moment<?>, Object>> READING = new ThreadLocal<>();

  private final Supplier<T> source;

  Moment(Supplier<T> source) {
    this.source = source;
  }

  /** A part of it, as of the reading that this thread is at, else as of now. */
  double of(ToDoubleFunction<T> part) {
    Map<Moment<?>, Object> reading = READING.get();
    if (reading == null) {
      return part.applyAsDouble(source.get());
    }
    @SuppressWarnings("unchecked") // its own source put it there
    T seen = (T) reading.computeIfAbsent(this, moment -> moment.source.get());
    return part.applyAsDouble(seen);
  }

  /** Runs a reading: what it sees of a moment first holds to its end. */
  static <R> R reading(Supplier<R> work) {
    READING.set(new IdentityHashMap<>());
    try {
      return work.get();
    } finally {
      READING.remove();
    }
  }
}
