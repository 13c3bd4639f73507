package io.caravan.mailproxy.message;

import org.jspecify.annotations.Nullable;

/**
 * How many SMTP transactions an account takes in any 60, 3,600 and 86,400 seconds, over all its
 * lanes (DECISIONS, Limits; genro-api 3).
 *
 * @param minute 1 and more; {@code null}: no limit
 * @param hour 1 and more; {@code null}: no limit
 * @param day 1 and more; {@code null}: no limit
 * @param rejects whether a mail beyond a limit ends with an error instead of waiting
 */
public record Quota(
    @Nullable Integer minute, @Nullable Integer hour, @Nullable Integer day, boolean rejects) {
  public static final Quota NONE = new Quota(null, null, null, false);

  /** Whether there is no limit at all. */
  public boolean isOpen() {
    return minute == null && hour == null && day == null;
  }
}
