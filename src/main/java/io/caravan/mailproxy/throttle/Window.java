package io.caravan.mailproxy.throttle;

import java.util.Locale;

/**
 * A sliding window of time, counted in buckets (DECISIONS, Limits). What ended in a bucket counts
 * until the whole bucket is older than the window, so that no stretch of time of the window's
 * length ever holds more than the limit.
 */
public enum Window {
  MINUTE(60, 1),
  HOUR(3_600, 60),
  DAY(86_400, 900);

  private static final long MILLIS = 1_000;

  private final int seconds;
  private final int bucketSeconds;

  Window(int seconds, int bucketSeconds) {
    this.seconds = seconds;
    this.bucketSeconds = bucketSeconds;
  }

  /** The window of this length. */
  static Window ofSeconds(long seconds) {
    for (Window window : values()) {
      if (window.seconds == seconds) {
        return window;
      }
    }
    throw new IllegalArgumentException("no window has " + seconds + " s");
  }

  /** Its length. */
  public int seconds() {
    return seconds;
  }

  /** {@code minute}, {@code hour} or {@code day}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Number of the bucket that a moment falls in (Unix milliseconds). */
  public long bucket(long millis) {
    return Math.floorDiv(millis, bucketSeconds * MILLIS);
  }

  /** From when on a bucket counts no more, Unix milliseconds. */
  public long freeAt(long bucket) {
    return ((bucket + 1) * bucketSeconds + seconds) * MILLIS;
  }
}
