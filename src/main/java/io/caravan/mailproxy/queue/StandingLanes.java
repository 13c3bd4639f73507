package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.Delivery;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/** What waits in memory in lanes that stand still for long: it takes room that others can use. */
public final class StandingLanes {
  private static final long LONG_MILLIS = 5_000;

  private final InstantSource clock;
  private final List<LaneQueue<?>> queues;

  /**
   * @param clock the database's clock
   */
  public StandingLanes(
      InstantSource clock, LaneQueue<?> ram, LaneQueue<?> disk, LaneQueue<?> bounce) {
    this.clock = clock;
    this.queues = List.of(ram, disk, bounce);
  }

  /** Takes it out; it is still leased to this node, and has to go back to the table. */
  public List<Delivery> withdraw() {
    List<Delivery> out = new ArrayList<>();
    long until = clock.millis() + LONG_MILLIS;
    queues.forEach(queue -> out.addAll(queue.withdraw(until)));
    return out;
  }
}
