package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Counting;
import io.caravan.mailproxy.message.QueueName;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;

/** The slots of the three queues: how many there are, and what they do. */
public final class Slots {
  private final Map<QueueName, AtomicReference<SlotCounts>> queues = new EnumMap<>(QueueName.class);
  private final Map<QueueName, Integer> sizes = new EnumMap<>(QueueName.class);
  private final Map<Use, LongAdder> active = new ConcurrentHashMap<>();
  private final List<BiConsumer<String, String>> listeners = new CopyOnWriteArrayList<>();

  private record Use(String accountId, String throttle) {}

  private final Counting counting;
  private final LongAdder started = new LongAdder();

  /** Numbers of slots, {@code queue.*.concurrencyremote}. */
  public Slots(int ram, int disk, int bounce, Counting counting) {
    this.counting = counting;
    put(QueueName.RAM, ram);
    put(QueueName.DISK, disk);
    put(QueueName.BOUNCE, bounce);
  }

  private void put(QueueName queue, int slots) {
    sizes.put(queue, slots);
    queues.put(queue, new AtomicReference<>(new SlotCounts(slots, 0, 0, 0, 0)));
  }

  /** A slot for an attempt that waits for leave; it must come back to {@link Slot.State#FREE}. */
  Slot take(QueueName queue) {
    Slot slot = new Slot(this, queue);
    change(
        () -> {
          slot.move(Slot.State.UNACKNOWLEDGED);
          started.increment();
        });
    return slot;
  }

  /** Slots taken so far, each for one attempt. */
  public long started() {
    return started.sum();
  }

  void change(Runnable change) {
    counting.change(change);
  }

  @SuppressWarnings("NullAway") // the map holds all queues
  void moved(QueueName queue, Slot.State from, Slot.State to) {
    queues.get(queue).updateAndGet(counts -> counts.moved(from, to));
  }

  /** How many slots a queue has. */
  @SuppressWarnings("NullAway") // the map holds all queues
  public int size(QueueName queue) {
    return sizes.get(queue);
  }

  /** What the slots of a queue do now. */
  @SuppressWarnings("NullAway") // the map holds all queues
  public SlotCounts counts(QueueName queue) {
    return queues.get(queue).get();
  }

  LongAdder active(String accountId, String throttle) {
    Use use = new Use(accountId, throttle);
    LongAdder known = active.get(use);
    if (known != null) {
      return known;
    }
    LongAdder count = active.computeIfAbsent(use, u -> new LongAdder());
    listeners.forEach(listener -> listener.accept(accountId, throttle));
    return count;
  }

  /** How many attempts have leave, by account and by the label of its throttle rule. */
  public long delivering(String accountId, String throttle) {
    LongAdder count = active.get(new Use(accountId, throttle));
    return count == null ? 0 : count.sum();
  }

  /** Labels of throttle rules under which an account delivered. */
  public List<String> throttles(String accountId) {
    return active.keySet().stream()
        .filter(use -> use.accountId().equals(accountId))
        .map(Use::throttle)
        .toList();
  }

  /** Calls back with account and label when the first attempt of a pair has leave. */
  public void onFirst(BiConsumer<String, String> listener) {
    listeners.add(listener);
  }
}
