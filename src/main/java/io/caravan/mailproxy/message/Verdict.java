package io.caravan.mailproxy.message;

import org.jspecify.annotations.Nullable;

/**
 * What the retry policy made of one recipient's answer.
 *
 * @param fate what becomes of the recipient
 * @param delayMillis milliseconds until the next attempt, when {@code fate} is {@link
 *     Fate#DEFERRED}
 * @param reason why; the relay's words where there are any
 */
public record Verdict(Answer answer, Fate fate, @Nullable Long delayMillis, String reason) {

  /** Ends of an attempt for one recipient. */
  public enum Fate {
    SENT,
    FAILED,
    DEFERRED,
    /** Perhaps it has the mail; somebody must say. */
    HELD,
    /** It was not reached in the message's time. */
    EXPIRED,
    /** An operator dropped it. */
    CANCELLED
  }
}
