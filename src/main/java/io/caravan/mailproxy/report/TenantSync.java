package io.caravan.mailproxy.report;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one tenant's next call depends on. Times are Unix milliseconds. */
final class TenantSync {
  /** A new event may stand in the store. */
  boolean events;

  /** A call is under way. */
  boolean calling;

  /** To be called without waiting for the interval. */
  boolean expedited;

  /** No calls without reports before this. */
  long quietUntil;

  private long lastCall = Long.MIN_VALUE / 2;

  /** The call under way is due although there may be nothing to report. */
  boolean greeting;

  private long notBefore;

  /** When what was not acknowledged came due again; 0: nothing of that kind is known. */
  private long dueAt;

  private int refusals;

  boolean due(long now, boolean greeted, long interval) {
    if (calling || now < notBefore) {
      return false;
    }
    boolean asked = expedited || (now >= quietUntil && now - lastCall >= interval);
    greeting = greeted && asked;
    return events || greeting;
  }

  /** Since when an event that was told before is due again: the end of the back-off, if known. */
  long dueSince(long at) {
    return dueAt == 0 ? at : dueAt;
  }

  void expedite(long now) {
    expedited = true;
    quietUntil = 0;
    notBefore = 0;
    dueAt = now;
  }

  /** When it was called last; null: not since the start. */
  @Nullable Long lastCall() {
    return lastCall < 0 ? null : lastCall;
  }

  void called(long now) {
    calling = false;
    lastCall = now;
    notBefore = 0;
    dueAt = 0;
    refusals = 0;
  }

  /** A call with events broke off before there was an answer. */
  void broken(long now, List<Long> delaysSeconds) {
    refused(now, delaysSeconds, ReportAnswer.unanswered(""), true);
  }

  /**
   * Milliseconds until the next try. A call that reported nothing lets no report wait longer.
   *
   * @param told whether the call told events
   */
  long refused(long now, List<Long> delaysSeconds, ReportAnswer answer, boolean told) {
    calling = false;
    lastCall = now;
    long delay = delaysSeconds.get(Math.min(refusals, delaysSeconds.size() - 1)) * 1000;
    refusals += told ? 1 : 0;
    if (answer.retryAfterSeconds() != null) {
      delay = Math.max(delay, answer.retryAfterSeconds() * 1000);
    }
    notBefore = now + delay;
    dueAt = notBefore;
    return delay;
  }
}
