package io.caravan.mailproxy.queue;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Keys of messages, deliveries and events: 41 bits of milliseconds since 2025, 12 bits of sequence,
 * 10 bits that count the deliveries of a message. They grow strictly, also over a restart with a
 * clock that went back (see the constructor), so that their order is the order of acceptance.
 */
public final class Ids {
  /** A message has at most this many deliveries; the keys of its deliveries follow its own. */
  public static final int DELIVERIES_PER_MESSAGE = 1 << 10;

  private static final long EPOCH_MILLIS = 1_735_689_600_000L;
  private static final int SEQUENCE_BITS = 12;

  private final AtomicLong last;

  /**
   * @param greatest the greatest key in the store, 0 if there is none
   */
  public Ids(long greatest) {
    last = new AtomicLong(greatest / DELIVERIES_PER_MESSAGE);
  }

  /**
   * What keys are below that were made before a time.
   *
   * @param millis Unix milliseconds
   */
  static long floor(long millis) {
    return millis <= EPOCH_MILLIS
        ? 0
        : ((millis - EPOCH_MILLIS) << SEQUENCE_BITS) * DELIVERIES_PER_MESSAGE;
  }

  /** A key greater than all before. */
  public long next() {
    long now = (System.currentTimeMillis() - EPOCH_MILLIS) << SEQUENCE_BITS;
    return last.updateAndGet(previous -> Math.max(previous + 1, now)) * DELIVERIES_PER_MESSAGE;
  }
}
