package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Row;
import org.jspecify.annotations.Nullable;

/**
 * Mail that is not to be sent for now.
 *
 * @param reason as the operator gave it; {@code null}: none
 * @param untilAt Unix milliseconds at which it ends by itself; {@code null}: until it is activated
 * @param createdAt Unix milliseconds
 */
record Suspension(
    long pk, Scope scope, @Nullable String reason, @Nullable Long untilAt, long createdAt) {
  static final String CAUSE = "suspension:";

  static Suspension of(Row row) {
    return new Suspension(
        row.number("pk"),
        Scope.of(row),
        row.textOrNull("reason"),
        row.numberOrNull("until_at"),
        row.number("created_at"));
  }

  /** Why lanes stand still for it, see {@link Lanes#close}. */
  String cause() {
    return CAUSE + pk;
  }

  boolean holds(long now) {
    return untilAt == null || untilAt > now;
  }

  /** Milliseconds for {@link Lanes#close}. */
  long until() {
    return untilAt == null ? Long.MAX_VALUE : untilAt;
  }
}
