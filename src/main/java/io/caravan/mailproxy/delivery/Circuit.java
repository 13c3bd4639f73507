package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Health;
import org.jspecify.annotations.Nullable;

/**
 * Failures of one account in a row, and what follows: after enough of them it is open, after a
 * while half open for one attempt, which opens it again or ends it. Guarded by {@link Circuits}.
 */
final class Circuit {
  private static final long NEVER = Long.MAX_VALUE;

  private final Account account;
  private final int most;
  private final long probeMillis;

  private int failures;
  private boolean open;
  private Health.State why = Health.State.OK;
  private String reason = "";
  private long since;
  private long until;
  private @Nullable Attempt probe;
  private boolean triedElsewhere;
  private @Nullable CircuitState shared;

  /** Whether the account's lanes stand still for it. */
  boolean lanesClosed;

  /** What was told last of the account. */
  Health.State told = Health.State.OK;

  /** What is to be told of it unless another node was first. */
  @Nullable Health news;

  Circuit(Account account, int most, long probeMillis) {
    this.account = account;
    this.most = most;
    this.probeMillis = probeMillis;
  }

  Account account() {
    return account;
  }

  boolean isOpen() {
    return open;
  }

  /** Whether it is time for one attempt to try, and none does. */
  boolean wantsProbe(long now) {
    return open && probe == null && now >= until;
  }

  /** Milliseconds until one attempt may try, or it is to be asked again whether one may. */
  long untilProbe(long now) {
    return until == NEVER ? probeMillis : Math.max(0, until - now);
  }

  /** Opens for good: no attempt tries. */
  void lock(String text, long now) {
    open = true;
    why = Health.State.LOCKED;
    reason = text;
    since = now;
    until = NEVER;
    told = why;
  }

  boolean isLocked() {
    return until == NEVER;
  }

  /** Whether the attempt may start; if it is the one that tries, that is noted. */
  boolean enter(Attempt attempt, long now) {
    if (!open) {
      return true;
    }
    if (!wantsProbe(now)) {
      return false;
    }
    probe = attempt;
    triedElsewhere = false;
    return true;
  }

  /**
   * A failure that says something of the account.
   *
   * @return whether it counted; else the circuit had been open before
   */
  boolean failed(Attempt attempt, Health.State kind, String text, long now) {
    if (open && probe != attempt) {
      return false;
    }
    failures++;
    why = kind;
    reason = text;
    if (!open && failures >= most) {
      open = true;
      since = now;
    }
    probe = null;
    triedElsewhere = false;
    until = now + probeMillis;
    return true;
  }

  /** The attempt that tried came to no answer about the account. */
  void undecided(Attempt attempt, long nextProbe) {
    if (probe == attempt) {
      probe = null;
      until = nextProbe;
    }
  }

  boolean isTrial(Attempt attempt) {
    return probe == attempt;
  }

  // other nodes

  /** As others are to see it. */
  CircuitState state() {
    return new CircuitState(why, reason, since, until, triedElsewhere);
  }

  /** The same while the attempt that is to try does. */
  CircuitState trial(long end) {
    return new CircuitState(why, reason, since, end, true);
  }

  /** Others know it so; or what they know is not to be changed from here. */
  void shared(CircuitState known) {
    shared = known;
  }

  /** Whether others have, or had, a word on it. */
  boolean isShared() {
    return shared != null;
  }

  /** Whether it is not as others know it. An attempt that tries was told before it began. */
  boolean isUnshared() {
    return open && !isLocked() && probe == null && !state().equals(shared);
  }

  /** Is as another node says. */
  void take(CircuitState known) {
    open = true;
    why = known.why();
    reason = known.reason();
    since = known.since();
    until = known.until();
    triedElsewhere = known.trial();
    told = why;
    shared = known;
  }

  Health health(long now) {
    boolean half = probe != null || triedElsewhere || now >= until;
    return half ? new Health(account, Health.State.HALF_OPEN, reason, since, null) : cause();
  }

  /** As {@link #health}, without the change from and to half open. */
  Health cause() {
    return new Health(account, why, reason, since, isLocked() ? null : (Long) until);
  }
}
