package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.QueueName;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** The right to work on one delivery, for the length of one attempt; used by one thread. */
final class Slot {
  /** free → throttlewait (unacknowledged → acknowledged) → delivering → diskwait → free. */
  enum State {
    FREE,
    UNACKNOWLEDGED,
    ACKNOWLEDGED,
    DELIVERING,
    DISKWAIT
  }

  private final Slots slots;
  private final QueueName queue;
  private State state = State.FREE;
  private @Nullable LongAdder active;

  Slot(Slots slots, QueueName queue) {
    this.slots = slots;
    this.queue = queue;
  }

  QueueName queue() {
    return queue;
  }

  void move(State to) {
    slots.change(
        () -> {
          if (to != state) {
            slots.moved(queue, state, to);
            state = to;
          }
          if (active != null && to != State.DELIVERING) {
            active.decrement();
            active = null;
          }
        });
  }

  /** The attempt has leave. */
  void deliver(String accountId, String throttle) {
    LongAdder count = slots.active(accountId, throttle);
    slots.change(
        () -> {
          move(State.DELIVERING);
          active = count;
          count.increment();
        });
  }
}
