package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.StoreFault;
import io.caravan.mailproxy.http.Problem;
import org.apache.camel.Exchange;

/** What a caller is told when the store fails, and not the request. */
public final class StoreProblems {
  private static final int RETRY_SECONDS = 5;

  /** Puts a {@link Problem} in the place of a failure of the store: 503, or 507 if it is full. */
  public void tell(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    StoreFault fault = StoreFault.of(failure);
    if (fault != null) {
      exchange.setProperty(Exchange.EXCEPTION_CAUGHT, problem(fault));
    }
  }

  private static Problem problem(StoreFault fault) {
    return fault == StoreFault.FULL
        ? new Problem(507, fault.code(), "The store is full").after(RETRY_SECONDS)
        : new Problem(503, fault.code(), "The store does not answer, try again")
            .after(RETRY_SECONDS);
  }
}
