package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.queue.Outbox;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/** When nothing will be pending any more, were mail to end as it did in the last five minutes. */
public final class DrainForecast {
  private static final long SPAN_NANOS = TimeUnit.MINUTES.toNanos(5);

  private final MeterRegistry registry;
  private final Outbox outbox;
  private final Deque<Seen> seen = new ArrayDeque<>();
  private volatile double seconds;

  private record Seen(long at, double ended) {}

  public DrainForecast(MeterRegistry registry, Outbox outbox) {
    this.registry = registry;
    this.outbox = outbox;
    Gauge.builder("mailproxy.queue.drain", this, f -> f.seconds)
        .baseUnit("seconds")
        .description("Time until nothing is pending, at the rate of the last five minutes")
        .register(registry);
    look();
  }

  /** Looks how far the mail came; to be called every few seconds. */
  public synchronized void look() {
    Seen now = new Seen(System.nanoTime(), ended());
    seen.addLast(now);
    while (now.at - seen.getFirst().at > SPAN_NANOS) {
      seen.removeFirst();
    }
    long pending = outbox.pending();
    double ended = Math.max(0, now.ended - seen.getFirst().ended);
    double span = (now.at - seen.getFirst().at) / 1e9;
    seconds = pending == 0 ? 0 : ended == 0 ? Double.POSITIVE_INFINITY : pending * span / ended;
  }

  /** Messages that were sent or given up; less than before when an account goes. */
  private double ended() {
    double ended = 0;
    for (String event : new String[] {"sent", "error"}) {
      for (Counter counter : registry.find(Telemetry.MAIL).tag("event", event).counters()) {
        ended += counter.count();
      }
    }
    return ended;
  }
}
