package io.caravan.mailproxy.delivery;

import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;

/**
 * Asked after the relay's 354 and before the first byte of the mail: makes "this attempt may have
 * been delivered" durable, so that only such attempts are uncertain after a crash.
 */
@FunctionalInterface
public interface DataGate {
  /** A gate that is always open. */
  DataGate OPEN = () -> true;

  /**
   * Stores that the body is about to leave.
   *
   * @return {@code false}: the lease is lost, no byte of the mail may leave
   * @throws Exception if that could not be made durable; no byte leaves either
   */
  boolean open() throws Exception;

  /** Whether the dot may follow; if not, the relay never gets the end of the mail. */
  default boolean holds() {
    return true;
  }

  /** A gate that has to hold until the dot. */
  static DataGate of(Callable<Boolean> open, BooleanSupplier holds) {
    return new DataGate() {
      @Override
      public boolean open() throws Exception {
        return open.call();
      }

      @Override
      public boolean holds() {
        return holds.getAsBoolean();
      }
    };
  }
}
