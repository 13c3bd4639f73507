package io.caravan.mailproxy.delivery;

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
}
