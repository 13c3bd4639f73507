package io.caravan.mailproxy.message;

import org.jspecify.annotations.Nullable;

/**
 * What an attempt came to, as it stands in the store.
 *
 * @param result the attempt's one result
 * @param fate the message's end, when its last recipient is final
 * @param text the reason of a deferral or failure, in the relay's words
 * @param recordedAt Unix milliseconds
 * @param nextAttemptAt Unix milliseconds of the next attempt; {@code null}: none
 */
public record Settled(
    Result result,
    Fate fate,
    @Nullable String text,
    long recordedAt,
    @Nullable Long nextAttemptAt) {

  /** Results of an attempt (DECISIONS, Outcome). */
  public enum Result {
    /** No recipient left to retry, one accepted at least. */
    SUCCESS,
    /** No recipient left to retry, none accepted. */
    FAILURE,
    /** A recipient is left to retry. */
    DEFERRAL,
    /** A limit did not let it begin; nothing was tried. */
    CONNMAXOUT,
    /**
     * Nobody is left to retry, but a recipient waits for somebody to say whether it has the mail.
     */
    HELD,
    /** Not tried: an operator had it dropped. */
    DUMP,
    /** The lease was lost: the result changed nothing. */
    LATE
  }

  /** Ends of a message. */
  public enum Fate {
    PENDING,
    /** Every recipient was accepted. */
    SENT,
    ERROR
  }

  /** Whether someone else had recorded a result before, so that this one changed nothing. */
  public boolean isLate() {
    return result == Result.LATE;
  }

  /** For Simple in routes. */
  public String getResultName() {
    return result.name().toLowerCase(java.util.Locale.ROOT);
  }

  /** For Simple in routes. */
  public String getFateName() {
    return fate.name().toLowerCase(java.util.Locale.ROOT);
  }

  /** For Simple in routes: seconds from the record to the next attempt, 0 if there is none. */
  public long getDelaySeconds() {
    return nextAttemptAt == null ? 0 : (nextAttemptAt - recordedAt) / 1000;
  }
}
