package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.queue.LaneQueue;
import io.caravan.mailproxy.queue.Lanes;
import java.util.OptionalLong;
import org.apache.camel.Exchange;

/** The queue behind a {@code seda:} endpoint whose exchanges carry deliveries. */
public final class DeliveryQueue extends LaneQueue<Exchange> {

  /**
   * @param slots how many attempts may be under way ({@code queue.*.concurrencyremote})
   */
  public DeliveryQueue(Lanes lanes, int slots) {
    super(lanes, exchange -> exchange.getMessage().getBody(Delivery.class), slots);
  }

  /** When the oldest of those that wait was accepted, Unix milliseconds; empty: none waits. */
  public OptionalLong oldest() {
    return stream()
        .map(exchange -> exchange.getMessage().getBody()) // of one that was just taken, anything
        .filter(Delivery.class::isInstance)
        .mapToLong(body -> ((Delivery) body).acceptedAt())
        .min();
  }
}
