package io.caravan.mailproxy.telemetry;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * One line of the StatsD protocol, in ASCII.
 *
 * @param counter whether it carries what a counter has grown by
 */
record StatsdLine(String key, String text, boolean counter) {
  /** A gauge's resolution: microseconds of seconds, nanoseconds of milliseconds. */
  private static final int DECIMALS = 6;

  /** Of durations: microseconds. */
  private static final int DECIMALS_OF_MILLIS = 3;

  private static final MathContext RATE = new MathContext(6);

  /**
   * @param delta 0 or more
   */
  static StatsdLine counter(String key, long delta) {
    return new StatsdLine(key, key + ":" + delta + "|c", true);
  }

  /**
   * @param value finite; below 0 it is 0, since a sign would make a change of it
   */
  static StatsdLine gauge(String key, double value) {
    BigDecimal shown = BigDecimal.valueOf(Math.max(0, value));
    return new StatsdLine(key, key + ":" + plain(shown, DECIMALS) + "|g", false);
  }

  /**
   * A duration.
   *
   * @param rate share of what was measured that is sent, above 0, up to 1
   */
  static StatsdLine timing(String key, long nanos, double rate) {
    String millis = plain(BigDecimal.valueOf(nanos, 6), DECIMALS_OF_MILLIS);
    String share = rate < 1 ? "|@" + BigDecimal.valueOf(rate).round(RATE).toPlainString() : "";
    return new StatsdLine(key, key + ":" + millis + "|ms" + share, false);
  }

  /** Without an exponent, which StatsD servers do not read. */
  private static String plain(BigDecimal value, int decimals) {
    return value.setScale(decimals, RoundingMode.HALF_UP).stripTrailingZeros().toPlainString();
  }
}
