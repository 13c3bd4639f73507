package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.admin.Standstill;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Priority;
import io.caravan.mailproxy.throttle.Limits;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What this node holds of each lane, and where more may be fetched: the memory beside the queue
 * table. Nothing here owns mail; all of it can be lost at any moment.
 */
public final class Lanes implements Standstill {
  private static final int DEFAULT_CONNECTIONS = 10;
  private static final long RETIRED_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  /** Rows of one claim, at most: a claim holds up whoever else writes. */
  private static final int MAX_CLAIM = 500;

  /** How often what is free a lane may hold. */
  private static final int SHARE_OF_FREE = 2;

  /** Which part of a claim aged rows get although urgent ones would fill it (claim-due.sql). */
  private static final int AGED_SHARE = 16;

  private final Directory directory;
  private final InstantSource clock;
  private final int maxHeld;
  private final long maxBytes;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Map<LaneKey, Lane> lanes = new HashMap<>();
  private final Map<Long, Stops> accounts = new HashMap<>();
  private final List<LaneQueue<?>> queues = new CopyOnWriteArrayList<>();
  private final CatchUp catchUp = new CatchUp();
  private final AtomicLong firsts = new AtomicLong();
  private final AtomicLong firstBytes = new AtomicLong();
  private int held;
  private long bytes;
  private int turn;
  private boolean retired;
  private @Nullable Limits limits;

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

  /** Limits that lanes have beside their account's connections. */
  public void setLimits(Limits limits) {
    this.limits = limits;
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
      boolean mayHold = room(lane, priority == Priority.IMMEDIATE) > 0 && fits(lane, size);
      if (lane.isBehind(priority) || !mayHold || lane.gate().isGuarded(clock.millis())) {
        return false;
      }
      hold(lane, 1, size);
      firsts.incrementAndGet();
      firstBytes.addAndGet(size);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Places that are left to a lane. Whatever others hold, it gets its floor; beyond that half of
   * what is free, so that a long queue of one lane leaves room for all others. What is urgent gets
   * a floor more.
   */
  private int room(Lane lane, boolean urgent) {
    int window =
        Math.max(lane.floor(), SHARE_OF_FREE * (maxHeld - held)) + (urgent ? lane.floor() : 0);
    long worth = limits == null ? window : Math.min(window, limits.worth(lane.key));
    return Math.min((int) worth - lane.held, maxHeld - held);
  }

  private boolean fits(Lane lane, long size) {
    long share = lane.held < lane.floor() ? maxBytes : SHARE_OF_FREE * (maxBytes - bytes);
    return lane.bytes + size <= share && bytes + size <= maxBytes;
  }

  private void hold(Lane lane, int count, long size) {
    lane.held += count;
    lane.bytes += size;
    held += count;
    bytes += size;
  }

  /** Gives a reserved or claimed place back. */
  public void release(Delivery delivery) {
    lock.lock();
    try {
      Lane lane = lane(delivery.lane());
      hold(lane, -1, -delivery.bytes());
      count(delivery, -1);
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
    if (directory.account(accountPk).isEmpty()) {
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
   * Stops all lanes of an account: nothing of them is claimed or started, and nothing of them is
   * used up by waiting.
   *
   * @param cause who stops it; several causes hold until the last one ends
   * @param until Unix milliseconds; {@code Long.MAX_VALUE}: until {@link #open}
   */
  public void close(long accountPk, String cause, long until) {
    lock.lock();
    try {
      stops(accountPk).add(cause, until);
    } finally {
      lock.unlock();
    }
  }

  /** Stops one lane, see {@link #close(long, String, long)}. */
  public void close(LaneKey key, String cause, long until) {
    lock.lock();
    try {
      lane(key).gate().stops().add(cause, until);
    } finally {
      lock.unlock();
    }
  }

  /** Ends a cause for which an account stood still; nothing happens if it did not. */
  public void open(long accountPk, String cause) {
    boolean lifted;
    lock.lock();
    try {
      lifted = stops(accountPk).lift(cause);
    } finally {
      lock.unlock();
    }
    went(lifted);
  }

  /** Ends a cause for which a lane stood still. */
  public void open(LaneKey key, String cause) {
    boolean lifted;
    lock.lock();
    try {
      lifted = lane(key).gate().stops().lift(cause);
    } finally {
      lock.unlock();
    }
    went(lifted);
  }

  /**
   * Ends all causes of a kind.
   *
   * @param which accounts, by key
   * @param kind what the causes begin with
   * @return whether there was one
   */
  public boolean lift(LongPredicate which, String kind) {
    boolean lifted = false;
    lock.lock();
    try {
      for (Map.Entry<Long, Stops> account : accounts.entrySet()) {
        lifted |= which.test(account.getKey()) && account.getValue().liftAll(kind);
      }
      for (Lane lane : lanes.values()) {
        lifted |= which.test(lane.key.accountPk()) && lane.gate().stops().liftAll(kind);
      }
    } finally {
      lock.unlock();
    }
    went(lifted);
    return lifted;
  }

  /**
   * One delivery of the account may start although a cause goes on: to try whether it still holds.
   */
  public void probe(long accountPk, String cause) {
    lock.lock();
    try {
      stops(accountPk).allowOne(cause);
    } finally {
      lock.unlock();
    }
    went(true);
  }

  /** There may be room that was not there before, such as when a window of time moved on. */
  public void moved() {
    lock.lock();
    try {
      work.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long stoppedUntil(LaneKey key) {
    return gate(key).stoppedUntil();
  }

  /** The queues' own locks come first: they ask lanes while they hold them. */
  private void went(boolean on) {
    if (on) {
      moved();
      queues.forEach(LaneQueue::wake);
    }
  }

  /** Whether it stands still now. */
  boolean isStopped(LaneKey key) {
    return gate(key).isStopped(clock.millis());
  }

  /** Why a lane stands still, and until when: causes with their ends, Unix milliseconds. */
  public Map<String, Long> stops(LaneKey key) {
    return gate(key).stoppedBy(clock.millis());
  }

  /** Whether a suspension is one of the causes. */
  boolean isSuspended(LaneKey key) {
    return stops(key).keySet().stream().anyMatch(cause -> cause.startsWith(Suspension.CAUSE));
  }

  /**
   * Takes what waits in memory out of it, its places stay held: {@link #release} must follow.
   *
   * @param which the lanes that are meant
   */
  List<Delivery> recall(Predicate<LaneKey> which) {
    List<Delivery> recalled = new ArrayList<>();
    queues.forEach(queue -> recalled.addAll(queue.recall(which)));
    return recalled;
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
        long left = Math.min(deadline - System.nanoTime(), untilNextChange());
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
      Lane lane = lane(order.lane());
      for (Delivery delivery : deliveries) {
        hold(lane, 1, delivery.bytes());
        count(delivery, 1);
      }
      boolean full = deliveries.size() >= order.room();
      long others = deliveries.stream().filter(d -> d.priority() != Priority.IMMEDIATE).count();
      if (lane.version == order.version()) {
        if (!full) {
          lane.caughtUp();
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
    gate(delivery.lane()).finish();
    queues.forEach(LaneQueue::wake);
  }

  Lane.Gate gate(LaneKey key) {
    lock.lock();
    try {
      return lane(key).gate();
    } finally {
      lock.unlock();
    }
  }

  long now() {
    return clock.millis();
  }

  /** Calls back whenever a delivery may start that could not before. */
  void onFinish(LaneQueue<?> queue) {
    queues.add(queue);
  }

  private Stops stops(long accountPk) {
    return accounts.computeIfAbsent(accountPk, pk -> new Stops());
  }

  private Lane lane(LaneKey key) {
    Lane lane = lanes.get(key);
    if (lane == null) {
      lane = new Lane(key, new Lane.Gate(new Stops(), stops(key.accountPk()), DEFAULT_CONNECTIONS));
      lanes.put(key, lane);
    }
    int ofAccount =
        directory.account(key.accountPk()).map(Account::maxConnections).orElse(DEFAULT_CONNECTIONS);
    lane.gate().max(limits == null ? ofAccount : limits.connections(key, ofAccount));
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
        lane.behind();
      }
      int wanted = lane.hasBacklog() && !lane.gate().isStopped(now) ? wanted(lane) : 0;
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
    int room = room(lane, lane.isUrgent());
    int enough = Math.min(MAX_CLAIM, lane.floor() / 2);
    boolean worth = room >= enough || lane.held == 0 || lane.isUrgent();
    return worth ? Math.min(room, MAX_CLAIM) : 0;
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
