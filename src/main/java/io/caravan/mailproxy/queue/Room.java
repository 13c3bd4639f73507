package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Priority;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How much is held in memory, over all lanes, and how much of it one lane may have. Guarded by
 * {@link Lanes}, but for what its public methods tell.
 */
public final class Room {
  /** How often what is free a lane may hold. */
  private static final int SHARE_OF_FREE = 2;

  private final int maxHeld;
  private final long maxBytes;
  private final AtomicLong firsts = new AtomicLong();
  private final AtomicLong firstBytes = new AtomicLong();
  private int held;
  private long bytes;

  Room(int maxHeld, long maxBytes) {
    this.maxHeld = maxHeld;
    this.maxBytes = maxBytes;
  }

  /**
   * Places that are left to a lane. Whatever others hold, it gets its floor; beyond that twice what
   * is free, so that a long queue of one lane leaves a third of all places to others, two of them a
   * fifth. What is urgent has a floor of its own.
   */
  int places(Lane lane, boolean urgent) {
    int window = Math.max(lane.floor(), SHARE_OF_FREE * (maxHeld - held));
    int places = window - lane.held;
    if (urgent) {
      places = Math.max(places, lane.floor() - lane.urgentHeld);
    }
    return Math.min(places, maxHeld - held);
  }

  boolean fits(Lane lane, long size, boolean urgent) {
    boolean floor = lane.held < lane.floor() || (urgent && lane.urgentHeld < lane.floor());
    long share = floor ? maxBytes : SHARE_OF_FREE * (maxBytes - bytes);
    return lane.bytes + size <= share && bytes + size <= maxBytes;
  }

  boolean isFull() {
    return held >= maxHeld || bytes >= maxBytes;
  }

  /**
   * @param first whether it is for a first attempt
   */
  void take(Lane lane, Priority priority, long size, boolean first) {
    hold(lane, 1, priority, size, first);
  }

  void give(Lane lane, Delivery delivery) {
    hold(lane, -1, delivery.priority(), -delivery.bytes(), delivery.attempts() == 0);
  }

  private void hold(Lane lane, int count, Priority priority, long size, boolean first) {
    if (priority == Priority.IMMEDIATE) {
      lane.urgentHeld += count;
    }
    lane.held += count;
    lane.bytes += size;
    held += count;
    bytes += size;
    if (first) {
      firsts.addAndGet(count);
      firstBytes.addAndGet(size);
    }
  }

  /** Deliveries in memory for their first attempt. */
  public long firsts() {
    return firsts.get();
  }

  /** Bytes of their messages. */
  public long firstBytes() {
    return firstBytes.get();
  }

  /** How many deliveries fit in memory. */
  public long maxHeld() {
    return maxHeld;
  }

  /** How many bytes of messages fit in memory. */
  public long maxBytes() {
    return maxBytes;
  }
}
