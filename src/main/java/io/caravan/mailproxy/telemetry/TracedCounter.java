package io.caravan.mailproxy.telemetry;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.cumulative.CumulativeCounter;
import org.jspecify.annotations.Nullable;

/** A counter that remembers whom it counted last. */
final class TracedCounter extends CumulativeCounter {
  private volatile @Nullable Exemplar exemplar;

  TracedCounter(Meter.Id id) {
    super(id);
  }

  @Override
  public void increment(double amount) {
    super.increment(amount);
    Exemplar now = amount > 0 ? Exemplar.of(amount) : null;
    if (now != null) {
      exemplar = now;
    }
  }

  @Nullable Exemplar exemplar() {
    return exemplar;
  }
}
