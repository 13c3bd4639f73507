package io.caravan.mailproxy.throttle;

import io.caravan.mailproxy.message.LaneKey;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The throttle's answer to one attempt (telemetry.md 5, R8 and R9: a refusal has exactly one
 * reason).
 *
 * @param leave to be ended with the transaction; only with {@link Answer#BEGIN}
 * @param reason only without leave
 * @param remote whether the ledger was asked
 * @param usage with {@link Reason#MSGPERHOUR}: the limit that is spent, and until when
 * @param scope of that limit
 */
public record Decision(
    Answer answer,
    @Nullable Leave leave,
    @Nullable Reason reason,
    boolean remote,
    @Nullable Usage usage,
    @Nullable LaneKey scope) {

  /** The three answers. */
  public enum Answer {
    BEGIN,
    /** Soon: wait, and ask again. */
    BACKLOG,
    CONNMAXOUT;

    /** For routes. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Why not. */
  public enum Reason {
    /** The account's connections are all in use. */
    MAXCONN,
    /** A window is spent, whatever its length (telemetry.md 6). */
    MSGPERHOUR,
    /** Too many questions to the ledger have no answer yet. */
    MAXUNACKNOWLEDGED
  }

  static Decision begin(Leave leave, boolean remote) {
    return new Decision(Answer.BEGIN, leave, null, remote, null, null);
  }

  static Decision no(Answer answer, Reason reason) {
    return new Decision(answer, null, reason, false, null, null);
  }

  static Decision spent(Answer answer, boolean remote, Usage usage, LaneKey scope) {
    return new Decision(answer, null, Reason.MSGPERHOUR, remote, usage, scope);
  }
}
