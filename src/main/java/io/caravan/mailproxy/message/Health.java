package io.caravan.mailproxy.message;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How an account stands with its relay.
 *
 * @param account its row; a later revision may be in force by now
 * @param reason the relay's words or the local reason; {@code null} when all is well
 * @param sinceMillis Unix milliseconds since when {@code state} is not, or again, {@link State#OK}
 * @param nextProbeMillis Unix milliseconds of the next try; {@code null}: none is needed
 */
public record Health(
    Account account,
    State state,
    @Nullable String reason,
    long sinceMillis,
    @Nullable Long nextProbeMillis) {

  /** States of an account. */
  public enum State {
    OK,
    /** No connection or no session could be had, several times in a row. */
    REFUSED,
    /** The log-in was refused, several times in a row: further tries may lock the user out. */
    AUTH_FAILED,
    /** It was one of the two above, and one delivery may try whether it still is. */
    HALF_OPEN,
    /** No loaded key opens its password: it gets no mail until it is set again, or the key is. */
    LOCKED
  }

  /** For Simple in routes. */
  public String getStateName() {
    return state.name().toLowerCase(Locale.ROOT);
  }

  /** What clients and events are told; what is null is left out. Times in Unix seconds. */
  public Map<String, Object> told() {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("state", getStateName());
    if (reason != null) {
      told.put("reason", reason);
    }
    told.put("since_ts", sinceMillis / 1000);
    if (nextProbeMillis != null) {
      told.put("next_probe_ts", nextProbeMillis / 1000);
    }
    return told;
  }
}
