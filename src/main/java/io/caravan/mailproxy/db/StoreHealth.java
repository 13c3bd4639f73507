package io.caravan.mailproxy.db;

import java.sql.SQLTransientConnectionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the store can be worked with now. Who meets a fault tells it here; it is over when a look
 * at the store ({@link Database#watch}) says so.
 */
public final class StoreHealth {
  /** A full disk may take a small write now and then. */
  private static final long FULL_NANOS = TimeUnit.SECONDS.toNanos(3);

  private static final Logger LOG = LoggerFactory.getLogger(StoreHealth.class);

  private volatile @Nullable StoreFault fault;
  private volatile long metNanos;
  private volatile Consumer<Throwable> whenAway = cause -> {};

  /** What is wrong; {@code null}: nothing. */
  public @Nullable StoreFault fault() {
    return fault;
  }

  /** Whether what comes of an attempt can be stored. */
  public boolean isWell() {
    return fault == null;
  }

  /** Called when the store turns out to be away, with the failure that says so. */
  void whenAway(Consumer<Throwable> told) {
    whenAway = told;
  }

  /**
   * Spares everyone the wait for a store that is away.
   *
   * @throws SQLTransientConnectionException it is
   */
  public void check() throws SQLTransientConnectionException {
    if (fault == StoreFault.UNAVAILABLE) {
      throw new SQLTransientConnectionException("the store is away");
    }
  }

  /** Something failed; nothing happens unless that is the store's fault. */
  public void met(@Nullable Throwable failure) {
    StoreFault met = StoreFault.of(failure);
    if (met == null || failure == null) {
      return;
    }
    metNanos = System.nanoTime();
    if (change(met)) {
      LOG.error(
          "The store {}, nothing is taken in and no mail begins until it is back: {}",
          met == StoreFault.FULL ? "is full" : "does not answer",
          Database.rootMessage(failure));
      if (met == StoreFault.UNAVAILABLE) {
        whenAway.accept(failure);
      }
    }
  }

  /** It did what it was asked for. */
  void answered() {
    boolean early = fault == StoreFault.FULL && System.nanoTime() - metNanos < FULL_NANOS;
    if (!early && change(null)) {
      LOG.info("The store is back");
    }
  }

  private synchronized boolean change(@Nullable StoreFault now) {
    boolean changes = fault != now;
    fault = now;
    return changes;
  }
}
