package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.admin.Standstill;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.throttle.Limits;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The lanes of this node, and the causes for which they stand still. */
abstract class LaneTable implements Standstill {
  private static final int DEFAULT_CONNECTIONS = 10;

  final InstantSource clock;
  final ReentrantLock lock = new ReentrantLock();
  final Condition work = lock.newCondition();
  final Map<LaneKey, Lane> lanes = new HashMap<>();
  private final Directory directory;
  private final Map<Long, Stops> accounts = new HashMap<>();
  private final List<LaneQueue<?>> queues = new CopyOnWriteArrayList<>();
  @Nullable Limits limits;

  LaneTable(Directory directory, InstantSource clock) {
    this.directory = directory;
    this.clock = clock;
  }

  /**
   * Stops all lanes of an account: nothing of them is claimed or started, and nothing of them is
   * used up by waiting.
   *
   * @param cause who stops it; several causes hold until the last one ends
   * @param until Unix milliseconds; {@code Long.MAX_VALUE}: until {@link #open}
   */
  public final void close(long accountPk, String cause, long until) {
    lock.lock();
    try {
      stops(accountPk).add(cause, until);
    } finally {
      lock.unlock();
    }
  }

  /** Stops one lane, see {@link #close(long, String, long)}. */
  public final void close(LaneKey key, String cause, long until) {
    lock.lock();
    try {
      lane(key).gate().stops().add(cause, until);
    } finally {
      lock.unlock();
    }
  }

  /** Ends a cause for which an account stood still; nothing happens if it did not. */
  public final void open(long accountPk, String cause) {
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
  public final void open(LaneKey key, String cause) {
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
  public final boolean lift(LongPredicate which, String kind) {
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
  public final void probe(long accountPk, String cause) {
    lock.lock();
    try {
      stops(accountPk).allowOne(cause);
    } finally {
      lock.unlock();
    }
    went(true);
  }

  /** There may be room that was not there before, such as when a window of time moved on. */
  public final void moved() {
    lock.lock();
    try {
      work.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public final long stoppedUntil(LaneKey key) {
    return gate(key).stoppedUntil();
  }

  /** The queues' own locks come first: they ask lanes while they hold them. */
  private void went(boolean on) {
    if (on) {
      moved();
      queues.forEach(LaneQueue::wakeAll);
    }
  }

  /** Whether it stands still now. */
  boolean isStopped(LaneKey key) {
    return gate(key).isStopped(clock.millis());
  }

  /** Why a lane stands still, and until when: causes with their ends, Unix milliseconds. */
  public final Map<String, Long> stops(LaneKey key) {
    return gate(key).stoppedBy(clock.millis());
  }

  /** The lanes that stand still until a known time. */
  final List<LaneKey> standing() {
    long now = clock.millis();
    lock.lock();
    try {
      return lanes.values().stream()
          .filter(lane -> lane.gate().stoppedUntil() > now)
          .filter(lane -> lane.gate().stoppedUntil() != Long.MAX_VALUE)
          .map(lane -> lane.key)
          .toList();
    } finally {
      lock.unlock();
    }
  }

  /** Whether a suspension is one of the causes. */
  boolean isSuspended(LaneKey key) {
    return stops(key).keySet().stream().anyMatch(cause -> cause.startsWith(Suspension.CAUSE));
  }

  /**
   * Takes what waits in memory out of it, its places stay held: {@link Lanes#release} must follow.
   *
   * @param which the lanes that are meant
   */
  List<Delivery> recall(Predicate<LaneKey> which) {
    List<Delivery> recalled = new ArrayList<>();
    queues.forEach(queue -> recalled.addAll(queue.recall(which, delivery -> true)));
    return recalled;
  }

  /**
   * Takes messages' deliveries that wait in memory out of it, as {@link #recall} does.
   *
   * @param messages their keys
   */
  List<Delivery> recallMessages(Set<Long> messages) {
    List<Delivery> recalled = new ArrayList<>();
    for (LaneQueue<?> queue : queues) {
      recalled.addAll(queue.recall(lane -> true, one -> messages.contains(one.messagePk())));
    }
    return recalled;
  }

  /** An attempt's place at the relay ended: another delivery of its lane may start. */
  public final void finish(Delivery delivery) {
    gate(delivery.lane()).finish();
    queues.forEach(queue -> queue.finished(delivery));
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

  final Lane lane(LaneKey key) {
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

  /** Limits that lanes have beside their account's connections. */
  public final void setLimits(Limits limits) {
    this.limits = limits;
  }

  /** Whose lane it is; empty: its account is gone. */
  final Optional<String> tenant(LaneKey key) {
    return directory.account(key.accountPk()).map(Account::tenantId);
  }

  final boolean isGone(long accountPk) {
    return directory.account(accountPk).isEmpty();
  }
}
