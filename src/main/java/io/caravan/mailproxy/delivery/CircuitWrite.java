package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Health;
import org.jspecify.annotations.Nullable;

/**
 * What other nodes are to learn of a circuit.
 *
 * @param state {@code null}: it ended
 * @param news what is told if the others did not know
 */
record CircuitWrite(Circuit circuit, @Nullable CircuitState state, @Nullable Health news) {

  /** For Simple in routes. */
  public boolean isOver() {
    return state == null;
  }

  Account account() {
    return circuit.account();
  }
}
