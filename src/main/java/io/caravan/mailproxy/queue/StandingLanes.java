package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.Delivery;
import java.time.InstantSource;
import java.util.List;

/** What waits in memory in lanes that stand still for long: it takes room that others can use. */
public final class StandingLanes {
  private static final long LONG_MILLIS = 5_000;

  private final InstantSource clock;
  private final Lanes lanes;

  /**
   * @param clock the database's clock
   */
  public StandingLanes(InstantSource clock, Lanes lanes) {
    this.clock = clock;
    this.lanes = lanes;
  }

  /** Takes it out; it is still leased to this node, and has to go back to the table. */
  public List<Delivery> withdraw() {
    long until = clock.millis() + LONG_MILLIS;
    return lanes.recall(lane -> lanes.isStopped(lane) && lanes.stoppedUntil(lane) > until);
  }
}
