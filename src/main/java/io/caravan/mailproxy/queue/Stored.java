package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.Delivery;
import java.util.List;

/**
 * What became of a batch's submissions; all of it is on disk.
 *
 * @param queued how many will be delivered, those that were there already included
 * @param added how many of them are new
 * @param refused those that were not taken
 * @param hot deliveries leased to this node, to be attempted at once
 */
public record Stored(int queued, int added, List<Refused> refused, List<Delivery> hot) {

  /**
   * A submission whose id stands for something that cannot be replaced any more.
   *
   * @param index its place in the batch
   * @param reason {@code already sent} or {@code in delivery}
   */
  public record Refused(int index, String id, String reason) {}
}
