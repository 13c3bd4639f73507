package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Verdict.Fate;
import io.caravan.mailproxy.queue.Dumps;
import io.caravan.mailproxy.queue.Outbox;
import io.caravan.mailproxy.queue.Suspensions;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/** Attempts that end as they start, before anything is said to a relay. */
public final class Unsent {
  /** Exchange property: {@code pause}, {@code dump} or {@code expired}. */
  private static final String WHY = "unsent";

  private final Suspensions suspensions;
  private final Dumps dumps;
  private final Verdicts verdicts;
  private final Outbox outbox;

  /**
   * @param verdicts knows when a message's time is over
   */
  public Unsent(Suspensions suspensions, Dumps dumps, Verdicts verdicts, Outbox outbox) {
    this.suspensions = suspensions;
    this.dumps = dumps;
    this.verdicts = verdicts;
    this.outbox = outbox;
  }

  /** Looks whether the attempt may go on; if not, property {@value #WHY} says why. */
  public void check(Exchange exchange) {
    String why = why(attempt(exchange).getDelivery());
    if (why != null) {
      exchange.setProperty(WHY, why);
    }
  }

  private @Nullable String why(Delivery delivery) {
    String batch = delivery.loaded().batchCode();
    if (suspensions.stop(delivery.lane(), batch)) {
      return "pause";
    }
    if (verdicts.isOver(delivery)) {
      return "expired";
    }
    return dumps.hit(delivery.lane(), batch, delivery.messagePk()) ? "dump" : null;
  }

  /** A suspension came while it started: it goes back, and no attempt is used up. */
  public void pause(Exchange exchange) {
    Attempt attempt = attempt(exchange);
    outbox.giveBack(attempt.getDelivery());
    attempt.close();
  }

  /** Its message was deleted as it started: no row is left to go back. */
  public void drop(Exchange exchange) {
    pause(exchange);
  }

  /** An operator dropped it. */
  public void cancel(Exchange exchange) {
    attempt(exchange).end(Fate.CANCELLED, "cancelled");
  }

  /** The message's time is over. */
  public void expire(Exchange exchange) {
    attempt(exchange).end(Fate.EXPIRED, "expired");
  }

  private static Attempt attempt(Exchange exchange) {
    return exchange.getProperty(Attempt.PROPERTY, Attempt.class);
  }
}
