package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.Delivery;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives back what waited in the memory of a process that ends: other nodes may have it at once. On
 * a store of one process the next start frees it.
 */
public final class HandOver implements Consumer<List<Delivery>> {
  private static final Logger LOG = LoggerFactory.getLogger(HandOver.class);

  /** In one commit. */
  private static final int AT_ONCE = 500;

  private final Outbox outbox;

  public HandOver(Outbox outbox) {
    this.outbox = outbox;
  }

  @Override
  public void accept(List<Delivery> waiting) {
    if (!outbox.isShared()) {
      return;
    }
    try {
      for (int i = 0; i < waiting.size(); i += AT_ONCE) {
        outbox.giveBack(waiting.subList(i, Math.min(waiting.size(), i + AT_ONCE)));
      }
    } catch (StoreException e) {
      LOG.warn("Deliveries could not be given back, they are free when the lease ends", e);
    }
  }
}
