package io.caravan.mailproxy;

import io.caravan.mailproxy.delivery.DeliveryQueue;
import io.caravan.mailproxy.delivery.SmtpPool;
import io.caravan.mailproxy.queue.HandOver;
import io.caravan.mailproxy.queue.InFlight;
import io.caravan.mailproxy.queue.Lanes;
import io.caravan.mailproxy.queue.Outbox;
import io.caravan.mailproxy.report.Reports;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.camel.spi.Registry;

/** The end of what is under way, in a bounded time; closed when Camel has stopped. */
final class Drain implements AutoCloseable {
  private final Registry registry;
  private final Duration time;
  private final CountDownLatch stopped = new CountDownLatch(1);

  /**
   * @param registry of a context that runs
   * @param seconds {@code drain.seconds}
   */
  Drain(Registry registry, String seconds) {
    this.registry = registry;
    this.time = Duration.ofSeconds(Long.parseLong(seconds.strip()));
    cutOff(registry.findByType(SmtpPool.class));
  }

  /**
   * No attempt begins any more, what waited in memory is left to others, and attempts under way end
   * while all else still runs: the lease is renewed until then, and who asks is told.
   */
  void run() {
    registry.findByType(Lanes.class).forEach(Lanes::retire);
    for (Outbox outbox : registry.findByType(Outbox.class)) {
      HandOver handOver = new HandOver(outbox);
      registry.findByType(DeliveryQueue.class).forEach(queue -> queue.retire(handOver));
    }
    registry.findByType(InFlight.class).forEach(inFlight -> inFlight.awaitNone(time));
    registry.findByType(Reports.class).forEach(Reports::retire);
  }

  /** Camel waits for its consumers without an end: what is still with a relay then is cut off. */
  private void cutOff(Set<SmtpPool> relays) {
    Thread patience =
        new Thread(
            () -> {
              try {
                if (!stopped.await(time.toMillis(), TimeUnit.MILLISECONDS)) {
                  relays.forEach(SmtpPool::abort);
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "drain");
    patience.setDaemon(true);
    patience.start();
  }

  @Override
  public void close() {
    stopped.countDown();
  }
}
