package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.db.StoreHealth;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Priority;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What this node holds of each lane, and where more may be fetched: the memory beside the queue
 * table. Nothing here owns mail; all of it can be lost at any moment.
 */
public final class Lanes extends LaneTable {
  private static final long ASK_AGAIN_MILLIS = 1_000;
  private static final long RETIRED_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  /** Rows of one claim, at most: a claim holds up whoever else writes. */
  private static final int MAX_CLAIM = 500;

  /** Which part of a claim aged rows get although urgent ones would fill it (claim-due.sql). */
  private static final int AGED_SHARE = 16;

  private final Room room;
  private final CatchUp catchUp = new CatchUp();
  private int turn;
  private boolean retired;
  private volatile @Nullable StoreHealth storeHealth;

  /** Keys of the deliveries in memory, waiting or under way. */
  private final Set<Long> known = ConcurrentHashMap.newKeySet();

  /**
   * @param clock the database's clock
   * @param maxHeld deliveries in memory, over all lanes (queue.ram.max-batches)
   * @param maxBytes their messages' bytes (queue.ram.max-bytes)
   */
  public Lanes(Directory directory, InstantSource clock, int maxHeld, long maxBytes) {
    super(directory, clock);
    this.room = new Room(maxHeld, maxBytes);
  }

  /** While it is not well, nothing is claimed and nothing starts. */
  public void setStoreHealth(StoreHealth health) {
    storeHealth = health;
  }

  /** Whether what comes of an attempt could be stored. */
  boolean mayStart() {
    return storeHealth == null || storeHealth.isWell();
  }

  /**
   * Asks for the hot path: room for a new delivery, nothing of its priority due before it, and a
   * lane that does not stand still.
   *
   * @return whether it may be stored already leased; then {@link #release} must follow when its
   *     attempt is recorded
   */
  public boolean reserve(LaneKey key, Priority priority, long size) {
    lock.lock();
    try {
      Lane lane = lane(key);
      boolean urgent = priority == Priority.IMMEDIATE;
      boolean mayHold = places(lane, urgent) > 0 && room.fits(lane, size, urgent);
      if (retired || lane.isBehind(priority) || !mayHold || lane.gate().isGuarded(clock.millis())) {
        return false;
      }
      room.take(lane, priority, size, true);
      return true;
    } finally {
      lock.unlock();
    }
  }

  private int places(Lane lane, boolean urgent) {
    int places = room.places(lane, urgent);
    return limits == null ? places : (int) Math.min(places, limits.worth(lane.key) - lane.held);
  }

  /** This delivery has the place that was reserved. */
  void keep(Delivery delivery) {
    known.add(delivery.pk());
  }

  /** Whether a delivery is in memory, waiting or under way. */
  boolean knows(long pk) {
    return known.contains(pk);
  }

  /** What it holds in memory, and how much fits. */
  public Room room() {
    return room;
  }

  /** Gives a reserved or claimed place back. */
  public void release(Delivery delivery) {
    known.remove(delivery.pk());
    lock.lock();
    try {
      Lane lane = lane(delivery.lane());
      room.give(lane, delivery);
      if (lane.hasBacklog() && wanted(lane) > 0) {
        work.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** A row of this lane stands in the table and is due at a time (Unix milliseconds). */
  public void waiting(LaneKey key, Priority priority, long dueAt) {
    lock.lock();
    try {
      Lane lane = lane(key);
      lane.version++;
      if (dueAt <= clock.millis()) {
        lane.behind(priority.level());
      } else {
        lane.nextDueAt = Math.min(lane.nextDueAt, dueAt);
      }
      work.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The same for rows of any priority. */
  public void waitingAny(LaneKey key, long dueAt) {
    for (Priority priority : Priority.values()) {
      waiting(key, priority, dueAt);
    }
  }

  /** All lanes of an account may have rows that came due, such as at its end. */
  public void wakeAccount(long accountPk) {
    if (isGone(accountPk)) {
      lift(pk -> pk == accountPk, "");
    }
    lock.lock();
    try {
      lane(LaneKey.of(accountPk));
      for (LaneKey key : List.copyOf(lanes.keySet())) {
        if (key.accountPk() == accountPk) {
          waitingAny(key, 0);
        }
      }
    } finally {
      lock.unlock();
    }
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
        long left = deadline - System.nanoTime();
        if (mayStart()) {
          left = Math.min(left, untilNextChange());
        }
        if (!orders.isEmpty() || deadline - System.nanoTime() <= 0) {
          return orders;
        }
        work.awaitNanos(Math.max(left, TimeUnit.MILLISECONDS.toNanos(1)));
      }
    } finally {
      lock.unlock();
    }
  }

  /** Orders nothing more, and nothing new is leased; who waits in {@link #awaitRoom} is let go. */
  public void retire() {
    lock.lock();
    try {
      retired = true;
      work.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * What a claim brought; these places are held from now on. Unless {@link #drained} says when the
   * lane has work again, it is claimed from again soon.
   */
  public void claimed(LaneRoom order, List<Delivery> deliveries) {
    lock.lock();
    try {
      Lane lane = lane(order.lane());
      for (Delivery delivery : deliveries) {
        keep(delivery);
        room.take(lane, delivery.priority(), delivery.bytes(), delivery.attempts() == 0);
      }
      boolean full = deliveries.size() >= order.room();
      long others = deliveries.stream().filter(d -> d.priority() != Priority.IMMEDIATE).count();
      if (lane.version == order.version()) {
        if (!full) {
          lane.caughtUp();
          lane.nextDueAt = Math.min(lane.nextDueAt, clock.millis() + ASK_AGAIN_MILLIS);
        } else if (others > order.room() / AGED_SHARE) {
          lane.caughtUpUrgent();
        }
      }
      catchUp.lane(order.lane(), full);
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
      Lane lane = lane(order.lane());
      if (lane.version == order.version()) {
        lane.nextDueAt = dueAt;
      }
    } finally {
      lock.unlock();
    }
  }

  /** Share of the last minute, 0 to 1, in which a lane had more due than one claim takes. */
  public double catchUp() {
    return catchUp.share();
  }

  private List<LaneRoom> orders() {
    if (room.isFull() || !mayStart()) {
      return List.of();
    }
    long now = clock.millis();
    List<LaneRoom> orders = new ArrayList<>();
    for (Lane lane : lanes.values()) {
      if (lane.nextDueAt <= now) {
        lane.nextDueAt = Long.MAX_VALUE;
        lane.behind();
      }
      boolean stopped = lane.gate().isStopped(now);
      if (stopped) {
        catchUp.lane(lane.key, false); // what must wait is not late
      }
      int wanted = lane.hasBacklog() && !stopped ? wanted(lane) : 0;
      if (wanted > 0) {
        orders.add(new LaneRoom(lane.key, wanted, lane.version));
      }
    }
    if (orders.size() > 1) {
      Collections.rotate(orders, turn++ % orders.size());
    }
    return orders;
  }

  /** Rows that a claim should bring now; 0: it would not be worth its commit. */
  private int wanted(Lane lane) {
    if (lane.gate().isGuarded(clock.millis())) {
      return lane.held == 0 ? 1 : 0;
    }
    int places = places(lane, lane.isUrgent());
    int enough = Math.min(MAX_CLAIM, lane.floor() / 2);
    boolean worth = places >= enough || lane.held == 0 || lane.isUrgent();
    return worth ? Math.min(places, MAX_CLAIM) : 0;
  }

  private long untilNextChange() {
    long now = clock.millis();
    long next = Long.MAX_VALUE;
    for (Lane lane : lanes.values()) {
      next = Math.min(next, lane.nextDueAt);
      if (lane.hasBacklog()) {
        next = Math.min(next, lane.gate().nextEnd(now));
      }
    }
    return next == Long.MAX_VALUE
        ? Long.MAX_VALUE
        : TimeUnit.MILLISECONDS.toNanos(Math.max(1, next - now));
  }
}
