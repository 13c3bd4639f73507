package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.db.StoreFault;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.queue.Outbox;
import io.caravan.mailproxy.queue.StoreException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Attempts that end without an outcome, and what becomes of their deliveries. */
final class NoOutcome {
  private static final long AGAIN_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final Logger LOG = LoggerFactory.getLogger(NoOutcome.class);

  private NoOutcome() {}

  /**
   * Whether an attempt failed because the store is away or the lease may be another's: no body
   * left, the relay is not to blame, and nothing is to be recorded.
   */
  static boolean of(Attempt attempt, @Nullable Throwable failure) {
    boolean asked = attempt.isUnread();
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof LeaseLostException) {
        return true;
      }
      asked |= attempt.mail() == null && cause instanceof StoreException;
    }
    return asked && StoreFault.of(failure) != null;
  }

  /**
   * Gives the delivery back. A store that does not take that is asked until it does, and the slot
   * stays taken meanwhile.
   *
   * @param delayMillis milliseconds until it is due again; 0: the service stops, it is asked once
   */
  static void giveBack(Outbox outbox, Attempt attempt, long delayMillis) {
    OutgoingMail mail = attempt.mail();
    boolean uncertain = mail != null && mail.phase().compareTo(Phase.BODY) >= 0;
    while (true) {
      try {
        if (uncertain && attempt.getOnUncertain().equals("hold")) {
          outbox.hold(attempt.getDelivery());
        } else {
          outbox.release(attempt.getDelivery(), delayMillis, uncertain);
        }
        return;
      } catch (StoreException e) {
        if (delayMillis == 0) {
          throw e;
        }
        LOG.error("A delivery is not given back yet: {}", e.getMessage());
        LockSupport.parkNanos(AGAIN_NANOS);
      }
    }
  }
}
