package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.queue.LaneQueue;
import io.caravan.mailproxy.queue.Lanes;
import org.apache.camel.Exchange;

/** The queue behind a {@code seda:} endpoint whose exchanges carry deliveries. */
public final class DeliveryQueue extends LaneQueue<Exchange> {

  public DeliveryQueue(Lanes lanes) {
    super(lanes, exchange -> exchange.getMessage().getBody(Delivery.class));
  }
}
