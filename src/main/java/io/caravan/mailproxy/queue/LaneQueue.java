package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Priority;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A queue of deliveries that gives out the next one whose lane may start an attempt: priorities in
 * order, lanes of one priority in turns, first in first out in a lane; no account takes the last
 * slots. What is taken counts as running on its lane until {@link Lanes#finish}.
 *
 * <p>Its size is bounded by what {@link Lanes} lets in, so it never refuses an element.
 *
 * @param <T> what stands for a delivery, such as an exchange
 */
public class LaneQueue<T> extends UnboundedQueue<T> {
  /** Deliveries of higher priorities after which one of a lower one has its turn: none starves. */
  private static final int PATIENCE = 64;

  private final Lanes lanes;
  private final Function<T, Delivery> delivery;
  private final SlotShares shares;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition ready = lock.newCondition();

  /** For each priority the lanes that have work, the next one first. */
  private final List<Deque<Line<T>>> turns = new ArrayList<>();

  /** For each priority the line of each lane that has work. */
  private final List<Map<LaneKey, Line<T>>> lines = new ArrayList<>();

  /** For each priority how many of higher ones were given out while it had work. */
  private final int[] passedOver = new int[Priority.values().length];

  private int size;

  /** Who takes what comes too late; {@code null}: this queue serves. */
  private @Nullable Consumer<List<Delivery>> refused;

  /**
   * @param slots how many attempts may be under way, 1 and more
   */
  public LaneQueue(Lanes lanes, Function<T, Delivery> delivery, int slots) {
    this.lanes = lanes;
    this.delivery = delivery;
    this.shares = new SlotShares(slots);
    for (int i = 0; i < Priority.values().length; i++) {
      turns.add(new ArrayDeque<>());
      lines.add(new HashMap<>());
    }
    lanes.onFinish(this);
  }

  /**
   * Gives out nothing more. Who polls is not kept waiting.
   *
   * @param back takes what waits, and whatever still comes
   */
  public void retire(Consumer<List<Delivery>> back) {
    lock.lock();
    try {
      refused = back;
      ready.signalAll();
    } finally {
      lock.unlock();
    }
    back.accept(recall(lane -> true, one -> true));
  }

  @Override
  public boolean offer(T element) {
    Delivery of = delivery.apply(element);
    Consumer<List<Delivery>> back = refusedOrQueued(element, of);
    if (back != null) {
      back.accept(List.of(of));
    }
    return true;
  }

  private @Nullable Consumer<List<Delivery>> refusedOrQueued(T element, Delivery of) {
    lock.lock();
    try {
      if (refused != null) {
        return refused;
      }
      int level = of.priority().level();
      Line<T> line = lines.get(level).get(of.lane());
      if (line == null) {
        line = new Line<>(of.lane(), lanes.gate(of.lane()), new ArrayDeque<>());
        lines.get(level).put(of.lane(), line);
        turns.get(level).addLast(line);
      }
      line.waiting.addLast(element);
      size++;
      ready.signal();
      return null;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public @Nullable T poll() {
    lock.lock();
    try {
      return next();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public @Nullable T poll(long timeout, TimeUnit unit) throws InterruptedException {
    long left = unit.toNanos(timeout);
    lock.lockInterruptibly();
    try {
      T element = next();
      while (element == null && refused == null && left > 0) {
        // lanes that stand still: a stop may end by time, of which nobody tells
        left = ready.awaitNanos(size > 0 ? Math.min(left, 1_000_000_000) : left);
        element = next();
      }
      if (element != null || refused == null) {
        return element;
      }
    } finally {
      lock.unlock();
    }
    Thread.sleep(20); // nothing comes any more; who polls looks whether it is to end
    return null;
  }

  private @Nullable T next() {
    long now = lanes.now();
    int aged = agedLevel();
    T element = aged < 0 ? null : next(aged, now);
    for (int level = 0; element == null && level < turns.size(); level++) {
      element = next(level, now);
    }
    return element;
  }

  /** A priority that was passed over too often; -1: none. */
  private int agedLevel() {
    for (int level = turns.size() - 1; level > 0; level--) {
      if (passedOver[level] >= PATIENCE) {
        return level;
      }
    }
    return -1;
  }

  private @Nullable T next(int level, long now) {
    Deque<Line<T>> turn = turns.get(level);
    for (int i = turn.size(); i > 0; i--) {
      Line<T> line = turn.removeFirst();
      boolean may = lanes.mayStart() && shares.mayTake(line.lane.accountPk());
      if (!may || !line.gate.tryStart(now)) {
        turn.addLast(line);
        continue;
      }
      T element = line.waiting.removeFirst();
      shares.take(delivery.apply(element));
      size--;
      if (line.waiting.isEmpty()) {
        lines.get(level).remove(line.lane);
      } else {
        turn.addLast(line);
      }
      given(level);
      return element;
    }
    return null;
  }

  private void given(int level) {
    passedOver[level] = 0;
    for (int lower = level + 1; lower < turns.size(); lower++) {
      passedOver[lower] += turns.get(lower).isEmpty() ? 0 : 1;
    }
  }

  /**
   * Takes out deliveries.
   *
   * @param ofLanes the lanes that are looked at
   * @param which those of them that are meant
   */
  List<Delivery> recall(Predicate<LaneKey> ofLanes, Predicate<Delivery> which) {
    List<Delivery> recalled = new ArrayList<>();
    lock.lock();
    try {
      for (int level = 0; level < turns.size(); level++) {
        for (Line<T> line : List.copyOf(turns.get(level))) {
          if (ofLanes.test(line.lane)) {
            line.waiting.removeIf(
                one -> which.test(delivery.apply(one)) && recalled.add(delivery.apply(one)));
          }
          if (line.waiting.isEmpty()) {
            turns.get(level).remove(line);
            lines.get(level).remove(line.lane);
          }
        }
      }
      size -= recalled.size();
      return recalled;
    } finally {
      lock.unlock();
    }
  }

  /** A lane goes on: as many may start as it has connections. */
  void wakeAll() {
    lock.lock();
    try {
      ready.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** An attempt's place became free. */
  void finished(Delivery ended) {
    lock.lock();
    try {
      shares.free(ended);
      if (size > 0) {
        ready.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Hands out elements that no slot took, without their lanes' leave to start. */
  @Override
  public int drainTo(Collection<? super T> target, int most) {
    lock.lock();
    try {
      int before = size;
      for (int level = 0; level < turns.size(); level++) {
        Deque<Line<T>> turn = turns.get(level);
        while (before - size < most && !turn.isEmpty()) {
          Line<T> line = turn.getFirst();
          target.add(line.waiting.removeFirst());
          size--;
          if (line.waiting.isEmpty()) {
            turn.removeFirst();
            lines.get(level).remove(line.lane);
          }
        }
      }
      return before - size;
    } finally {
      lock.unlock();
    }
  }

  /** A copy of what waits, in no order of giving out. */
  @Override
  public Iterator<T> iterator() {
    lock.lock();
    try {
      List<T> all = new ArrayList<>(size);
      turns.forEach(turn -> turn.forEach(line -> all.addAll(line.waiting)));
      return all.iterator();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int size() {
    lock.lock();
    try {
      return size;
    } finally {
      lock.unlock();
    }
  }

  /** What waits of one lane. */
  private record Line<T>(LaneKey lane, Lane.Gate gate, Deque<T> waiting) {}
}
