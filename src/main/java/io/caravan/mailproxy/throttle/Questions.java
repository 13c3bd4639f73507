package io.caravan.mailproxy.throttle;

import io.caravan.mailproxy.message.QueueName;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Questions to the ledger that have no answer yet. Their number is bounded for each queue by what a
 * round trip lets through at the present rate (Little's law), so that a slow ledger does not take
 * all slots.
 */
final class Questions {
  private static final double NANOS = 1e9;

  /** The window is so much wider than rate × round trip, for questions come in bursts. */
  private static final double MARGIN = 2;

  private static final int AT_LEAST = 16;

  /** Weight of the newest round trip, and of the newest second, in their averages. */
  private static final double WEIGHT = 0.2;

  private final int fixed;
  private final Map<QueueName, AtomicInteger> inFlight = new EnumMap<>(QueueName.class);
  private final AtomicInteger asked = new AtomicInteger();
  private volatile double roundTrip;
  private volatile double rate;
  private long rated = System.nanoTime();

  /**
   * @param fixed the bound; 0: calculated
   */
  Questions(int fixed) {
    this.fixed = fixed;
    for (QueueName queue : QueueName.values()) {
      inFlight.put(queue, new AtomicInteger());
    }
  }

  boolean tryAsk(QueueName queue) {
    int max = max();
    if (of(queue).getAndUpdate(n -> n < max ? n + 1 : n) >= max) {
      return false;
    }
    asked.incrementAndGet();
    return true;
  }

  synchronized void answered(QueueName queue, long nanos) {
    of(queue).decrementAndGet();
    roundTrip += WEIGHT * (nanos / NANOS - roundTrip);
  }

  /** Takes the rate of questions since the last call. */
  synchronized void measure() {
    long now = System.nanoTime();
    rate += WEIGHT * (asked.getAndSet(0) / Math.max(0.001, (now - rated) / NANOS) - rate);
    rated = now;
  }

  /** How many may be without an answer, of each queue. */
  int max() {
    return fixed > 0 ? fixed : Math.max(AT_LEAST, (int) Math.ceil(MARGIN * rate * roundTrip));
  }

  int inFlight(QueueName queue) {
    return of(queue).get();
  }

  @SuppressWarnings("NullAway") // the map holds all queues
  private AtomicInteger of(QueueName queue) {
    return inFlight.get(queue);
  }
}
