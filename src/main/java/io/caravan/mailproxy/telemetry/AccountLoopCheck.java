package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.delivery.Circuits;

/** Down when the loop stands still without which accounts in trouble are never tried again. */
public final class AccountLoopCheck extends LoopCheck {

  public AccountLoopCheck(Circuits circuits, long limit) {
    super("account-loop", "watch-accounts", circuits::secondsSinceRound, limit);
  }
}
