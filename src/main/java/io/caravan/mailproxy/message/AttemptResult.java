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
    return any(Verdict.Fate.DEFERRED);
  }

  /** Whether a recipient waits for somebody to say whether it has the mail. */
  public boolean held() {
    return any(Verdict.Fate.HELD);
  }

  /** The attempt's one result (DECISIONS, Outcome). */
  public Settled.Result result() {
    if (deferred()) {
      return Settled.Result.DEFERRAL;
    }
    if (held()) {
      return Settled.Result.HELD;
    }
    if (any(Verdict.Fate.SENT)) {
      return Settled.Result.SUCCESS;
    }
    return any(Verdict.Fate.CANCELLED) ? Settled.Result.DUMP : Settled.Result.FAILURE;
  }

  private boolean any(Verdict.Fate fate) {
    return verdicts.stream().anyMatch(v -> v.fate() == fate);
  }
}
