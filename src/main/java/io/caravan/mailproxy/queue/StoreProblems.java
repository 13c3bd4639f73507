package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.StoreFault;
import io.caravan.mailproxy.http.Problem;
import org.jspecify.annotations.Nullable;

/** What a caller is told when the store fails, and not the request. */
public final class StoreProblems {
  private static final int RETRY_SECONDS = 5;

  /**
   * 503 for a store that is away, 507 for one that is full.
   *
   * @return {@code null}: the store is not to blame
   */
  public @Nullable Problem of(Throwable failure) {
    StoreFault fault = StoreFault.of(failure);
    if (fault == StoreFault.FULL) {
      return new Problem(507, fault.code(), "The store is full").after(RETRY_SECONDS);
    }
    if (fault == StoreFault.UNAVAILABLE) {
      return unavailable("The store does not answer, try again");
    }
    return StoreFault.isInTheWay(failure)
        ? unavailable("The store is at something else, try again")
        : null;
  }

  private static Problem unavailable(String text) {
    return new Problem(503, StoreFault.UNAVAILABLE.code(), text).after(RETRY_SECONDS);
  }
}
