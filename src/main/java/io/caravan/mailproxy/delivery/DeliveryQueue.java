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
    super(lanes, DeliveryQueue::delivery, slots);
  }

  /** When the oldest of those that wait was accepted, Unix milliseconds; empty: none waits. */
  public OptionalLong oldest() {
    return stream().mapToLong(exchange -> delivery(exchange).acceptedAt()).min();
  }

  private static Delivery delivery(Exchange exchange) {
    return exchange.getMessage().getBody(Delivery.class);
  }
}
