package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.AttemptResult;
import io.caravan.mailproxy.message.Settled;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Records attempts: each once, however often the store has to be asked. */
final class Records {
  private final Nodes nodes;

  /** What the store did not take, or of which nobody knows whether it did, by delivery. */
  private final Map<Long, RecordAttempt> unsure = new ConcurrentHashMap<>();

  Records(Nodes nodes) {
    this.nodes = nodes;
  }

  /**
   * Records an attempt.
   *
   * @throws StoreException it is to be asked again
   */
  Settled commit(AttemptResult attempt) {
    long delivery = attempt.delivery().pk();
    RecordAttempt work = unsure.remove(delivery);
    if (work == null || !work.isUnder(attempt.delivery().epoch())) {
      work = new RecordAttempt(attempt, nodes.ids(), nodes.self());
    }
    try {
      return nodes.commits().commit(work);
    } catch (StoreException e) {
      unsure.put(delivery, work);
      throw e;
    }
  }
}
