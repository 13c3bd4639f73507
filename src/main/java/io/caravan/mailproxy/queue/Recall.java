package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.Delivery;
import java.util.List;
import java.util.Set;

/** Work on messages whose deliveries may wait in memory: what waits there is taken out first. */
final class Recall {
  private final Outbox outbox;
  private final Lanes lanes;

  Recall(Outbox outbox, Lanes lanes) {
    this.outbox = outbox;
    this.lanes = lanes;
  }

  /**
   * Runs work in the common transaction. What waited in memory stands in the table as due when it
   * runs; what is leased there is under way, or about to be.
   *
   * @param messages their keys
   */
  <R> R commit(Set<Long> messages, GroupCommit.Work<R> work) {
    List<Delivery> recalled = lanes.recallMessages(messages);
    R result;
    try {
      result =
          outbox.commit(
              (statements, now) -> {
                for (Delivery delivery : recalled) {
                  statements.update(
                      "give-back",
                      delivery.tenantId(),
                      delivery.pk(),
                      outbox.node(),
                      delivery.epoch());
                }
                return work.run(statements, now);
              });
    } catch (StoreException e) {
      outbox.giveBack(recalled);
      throw e;
    }
    for (Delivery delivery : recalled) {
      lanes.release(delivery);
      lanes.waiting(delivery.lane(), delivery.priority(), 0);
    }
    return result;
  }
}
