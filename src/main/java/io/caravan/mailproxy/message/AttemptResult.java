package io.caravan.mailproxy.message;

import java.util.List;

/**
 * A judged attempt, ready to be recorded.
 *
 * @param accountId the account it went through
 * @param verdicts one for each of the delivery's recipients; never empty
 */
public record AttemptResult(Delivery delivery, String accountId, List<Verdict> verdicts) {

  public AttemptResult {
    if (verdicts.isEmpty()) {
      throw new IllegalArgumentException("an attempt for nobody has no result");
    }
  }

  /** Whether a recipient is left to retry. */
  public boolean deferred() {
    return verdicts.stream().anyMatch(v -> v.fate() == Verdict.Fate.DEFERRED);
  }

  /** The attempt's one result (DECISIONS, Outcome). */
  public Settled.Result result() {
    if (deferred()) {
      return Settled.Result.DEFERRAL;
    }
    return verdicts.stream().anyMatch(v -> v.fate() == Verdict.Fate.SENT)
        ? Settled.Result.SUCCESS
        : Settled.Result.FAILURE;
  }
}
