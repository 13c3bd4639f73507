package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.queue.MessageOrder.Kind;

/** One order on all that a filter lets through. */
public final class BulkOrder extends Pieces {
  private final Kind kind;
  private final boolean dry;

  /**
   * @param dry only count
   */
  BulkOrder(MessagePages pages, MessageFilter filter, Kind kind, boolean dry) {
    super(pages, filter, "count");
    this.kind = kind;
    this.dry = dry;
  }

  Kind kind() {
    return kind;
  }

  boolean isDry() {
    return dry;
  }
}
