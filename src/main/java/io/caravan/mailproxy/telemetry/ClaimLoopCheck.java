package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.queue.Claims;

/** Down when the loop that claims due deliveries stands still. */
public final class ClaimLoopCheck extends LoopCheck {

  public ClaimLoopCheck(Claims claims, long limit) {
    super("claim-loop", "claim-due", claims::secondsSinceRound, limit);
  }
}
