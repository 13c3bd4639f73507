package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;

/**
 * The account takes nothing now, and neither does the one that stands in for it: the delivery goes
 * back, and no attempt is used up.
 */
public final class CircuitOpenException extends Exception {
  private static final long serialVersionUID = 1L;

  CircuitOpenException(Account account) {
    super("the circuit of " + account + " is open");
  }
}
