package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Delivery;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What this node holds of each lane, and where more may be fetched: the memory beside the queue
 * table. Nothing here owns mail; all of it can be lost at any moment.
 */
public final class Lanes {
  private static final int DEFAULT_CONNECTIONS = 10;
  private static final long RETIRED_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final Directory directory;
  private final InstantSource clock;
  private final int maxHeld;
  private final long maxBytes;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Map<Long, Lane> lanes = new HashMap<>();
  private final List<Runnable> queues = new CopyOnWriteArrayList<>();
  private final CatchUp catchUp = new CatchUp();
  private final AtomicLong firsts = new AtomicLong();
  private final AtomicLong firstBytes = new AtomicLong();
  private int held;
  private long bytes;
  private int turn;
  private boolean retired;

  /**
   * @param clock the database's clock
   * @param maxHeld deliveries in memory, over all lanes (queue.ram.max-batches)
   * @param maxBytes their messages' bytes (queue.ram.max-bytes)
   */
  public Lanes(Directory directory, InstantSource clock, int maxHeld, long maxBytes) {
    this.directory = directory;
    this.clock = clock;
    this.maxHeld = maxHeld;
    this.maxBytes = maxBytes;
  }

  /**
   * Asks for the hot path: room for a new delivery, and nothing due before it.
   *
   * @return whether it may be stored already leased; then {@link #release} must follow when its
   *     attempt is recorded
   */
  public boolean reserve(long accountPk, long size) {
    lock.lock();
    try {
      Lane lane = lane(accountPk);
      if (lane.backlog || lane.room() == 0 || held >= maxHeld || bytes + size > maxBytes) {
        return false;
      }
      lane.held++;
      held++;
      bytes += size;
      firsts.incrementAndGet();
      firstBytes.addAndGet(size);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Gives a reserved or claimed place back. */
  public void release(Delivery delivery) {
    lock.lock();
    try {
      Lane lane = lane(delivery.accountPk());
      lane.held--;
      held--;
      bytes -= delivery.bytes();
      count(delivery, -1);
      if (lane.backlog && lane.wantsMore()) {
        work.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** A row of this lane stands in the table and is due at a time (Unix milliseconds). */
  public void waiting(long accountPk, long dueAt) {
    lock.lock();
    try {
      Lane lane = lane(accountPk);
      lane.version++;
      if (dueAt <= clock.millis()) {
        lane.backlog = true;
      } else {
        lane.nextDueAt = Math.min(lane.nextDueAt, dueAt);
      }
      work.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** All of a lane's rows came due by one statement, such as at the end of its account. */
  public void wake(long accountPk) {
    waiting(accountPk, 0);
  }

  /**
   * Waits until a lane has due rows and room for them, for {@code atMostMillis} at the most.
   *
   * @return one order for each such lane, in turns; empty: nothing to claim
   */
  public List<LaneRoom> awaitRoom(long atMostMillis) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(atMostMillis);
    lock.lock();
    try {
      while (true) {
        if (retired) {
          work.awaitNanos(RETIRED_WAIT_NANOS);
          return List.of();
        }
        List<LaneRoom> orders = orders();
        long left = Math.min(deadline - System.nanoTime(), untilNextDue());
        if (!orders.isEmpty() || deadline - System.nanoTime() <= 0) {
          return orders;
        }
        work.awaitNanos(Math.max(left, TimeUnit.MILLISECONDS.toNanos(1)));
      }
    } finally {
      lock.unlock();
    }
  }

  /** Orders nothing more; who waits in {@link #awaitRoom} is let go. */
  public void retire() {
    lock.lock();
    try {
      retired = true;
      work.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** What a claim brought; these places are held from now on. */
  public void claimed(LaneRoom order, List<Delivery> deliveries) {
    lock.lock();
    try {
      Lane lane = lane(order.accountPk());
      lane.held += deliveries.size();
      held += deliveries.size();
      for (Delivery delivery : deliveries) {
        bytes += delivery.bytes();
        count(delivery, 1);
      }
      boolean full = deliveries.size() >= order.room();
      lane.backlog = full || lane.version != order.version();
      catchUp.lane(order.accountPk(), full);
    } finally {
      lock.unlock();
    }
  }

  /**
   * A claim found fewer rows than there was room for: when the lane's next row is due.
   *
   * @param dueAt Unix milliseconds; {@code Long.MAX_VALUE}: the lane is empty
   */
  public void drained(LaneRoom order, long dueAt) {
    lock.lock();
    try {
      Lane lane = lane(order.accountPk());
      if (lane.version == order.version()) {
        lane.nextDueAt = dueAt;
      }
    } finally {
      lock.unlock();
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

  /** Share of the last minute, 0 to 1, in which a lane had more due than one claim takes. */
  public double catchUp() {
    return catchUp.share();
  }

  private void count(Delivery delivery, int sign) {
    if (delivery.attempts() == 0) {
      firsts.addAndGet(sign);
      firstBytes.addAndGet(sign * delivery.bytes());
    }
  }

  /** An attempt's place at the relay ended: another delivery of its lane may start. */
  public void finish(Delivery delivery) {
    connections(delivery.accountPk()).finish();
    queues.forEach(Runnable::run);
  }

  Lane.Connections connections(long accountPk) {
    lock.lock();
    try {
      return lane(accountPk).connections();
    } finally {
      lock.unlock();
    }
  }

  /** Calls back whenever an attempt's place at a relay became free. */
  void onFinish(Runnable queue) {
    queues.add(queue);
  }

  private Lane lane(long accountPk) {
    Lane lane = lanes.computeIfAbsent(accountPk, pk -> new Lane(pk, DEFAULT_CONNECTIONS));
    lane.connections()
        .max(directory.account(accountPk).map(Account::maxConnections).orElse(DEFAULT_CONNECTIONS));
    return lane;
  }

  private List<LaneRoom> orders() {
    if (held >= maxHeld || bytes >= maxBytes) {
      return List.of();
    }
    long now = clock.millis();
    List<LaneRoom> orders = new ArrayList<>();
    for (Lane lane : lanes.values()) {
      if (lane.nextDueAt <= now) {
        lane.nextDueAt = Long.MAX_VALUE;
        lane.backlog = true;
      }
      if (lane.backlog && lane.wantsMore()) {
        orders.add(new LaneRoom(lane.accountPk, lane.room(), lane.version));
      }
    }
    if (orders.size() > 1) {
      java.util.Collections.rotate(orders, turn++ % orders.size());
    }
    return orders;
  }

  private long untilNextDue() {
    long next = Long.MAX_VALUE;
    for (Lane lane : lanes.values()) {
      next = Math.min(next, lane.nextDueAt);
    }
    return next == Long.MAX_VALUE
        ? Long.MAX_VALUE
        : TimeUnit.MILLISECONDS.toNanos(Math.max(1, next - clock.millis()));
  }
}
