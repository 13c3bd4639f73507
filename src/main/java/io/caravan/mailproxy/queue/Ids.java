package io.caravan.mailproxy.queue;

import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;

/**
 * Keys of messages, deliveries and events: 41 bits of milliseconds since 2025, 6 bits of sequence,
 * 6 bits for the node, 10 bits that count the deliveries of a message. Those of one node grow
 * strictly, also over a restart with a clock that went back (see the constructor), so that their
 * order is the order of acceptance.
 */
public final class Ids {
  /** A message has at most this many deliveries; the keys of its deliveries follow its own. */
  public static final int DELIVERIES_PER_MESSAGE = 1 << 10;

  private static final long EPOCH_MILLIS = 1_735_689_600_000L;
  private static final int SEQUENCE_BITS = 6;

  /** Nodes that make keys at the same time. */
  private static final int SLOTS = 1 << 6;

  private static final int KEYS_APART = SLOTS * DELIVERIES_PER_MESSAGE;

  private final InstantSource clock;
  private final IntSupplier slot;
  private final AtomicLong last;

  /**
   * @param clock the database's clock
   * @param slot of this node, 0 to 63
   * @param greatest the greatest key in the store, 0 if there is none
   */
  public Ids(InstantSource clock, IntSupplier slot, long greatest) {
    this.clock = clock;
    this.slot = slot;
    this.last = new AtomicLong(greatest / KEYS_APART);
  }

  /**
   * What keys are below that were made before a time.
   *
   * @param millis Unix milliseconds
   */
  static long floor(long millis) {
    return millis <= EPOCH_MILLIS ? 0 : ((millis - EPOCH_MILLIS) << SEQUENCE_BITS) * KEYS_APART;
  }

  /** A key greater than all before. */
  public long next() {
    long now = (clock.millis() - EPOCH_MILLIS) << SEQUENCE_BITS;
    return last.updateAndGet(previous -> Math.max(previous + 1, now)) * KEYS_APART
        + (long) slot.getAsInt() * DELIVERIES_PER_MESSAGE;
  }
}
