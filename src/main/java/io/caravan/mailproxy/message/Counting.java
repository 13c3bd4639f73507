package io.caravan.mailproxy.message;

import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * Counts of several parts that change together, and are read all as of one moment (telemetry.md 5,
 * "from one consistent snapshot"). Changes do not wait for each other, only for a reading.
 */
public final class Counting {
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /** Makes a change that a reading sees as a whole or not at all; short, and never blocks. */
  public void change(Runnable change) {
    lock.readLock().lock();
    try {
      change.run();
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Reads while no change is under way; short, and never blocks. */
  public <R> R read(Supplier<R> reading) {
    lock.writeLock().lock();
    try {
      return reading.get();
    } finally {
      lock.writeLock().unlock();
    }
  }
}
