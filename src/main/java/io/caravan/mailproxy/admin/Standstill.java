package io.caravan.mailproxy.admin;

import io.caravan.mailproxy.message.LaneKey;

/** Knows which lanes stand still. */
public interface Standstill {

  /**
   * When nothing stops a lane any more.
   *
   * @return Unix milliseconds; in the past: nothing does; {@code Long.MAX_VALUE}: no end is known
   */
  long stoppedUntil(LaneKey lane);
}
