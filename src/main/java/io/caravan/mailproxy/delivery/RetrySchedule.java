package io.caravan.mailproxy.delivery;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * When the next attempt follows.
 *
 * @param delaysSeconds seconds after the first, second … attempt; the last one repeats
 * @param jitter share of a delay by which it varies at random, 0 (exact) to 1
 */
public record RetrySchedule(List<Long> delaysSeconds, double jitter) {

  /**
   * Reads {@code 60,300,900}.
   *
   * @throws IllegalArgumentException it is no list of whole seconds from 0 on
   */
  public static RetrySchedule parse(String text, double jitter) {
    List<Long> delays = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      long seconds;
      try {
        seconds = Long.parseLong(part.strip());
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException("retry delays '" + text + "': no number: " + part, e);
      }
      if (seconds < 0) {
        throw new IllegalArgumentException("retry delays '" + text + "': negative");
      }
      delays.add(seconds);
    }
    return new RetrySchedule(List.copyOf(delays), jitter);
  }

  /**
   * Milliseconds from the end of an attempt to the next one.
   *
   * @param attempt 1 for the first
   */
  public long delayMillis(int attempt) {
    long exact = 1000 * delaysSeconds.get(Math.min(attempt, delaysSeconds.size()) - 1);
    double factor = jitter == 0 ? 1 : 1 + ThreadLocalRandom.current().nextDouble(-jitter, jitter);
    return Math.round(exact * factor);
  }
}
