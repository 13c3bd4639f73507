package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.http.Json;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Frees the leases of a process that ended, and tells which of its attempts are uncertain. */
final class Interrupted {
  private static final String REASON =
      "the attempt ended without a result after its DATA phase began";

  private final Ids ids;

  Interrupted(Ids ids) {
    this.ids = ids;
  }

  /**
   * Frees all leases of a process.
   *
   * @param started keys of the deliveries that the process was working on when it ended
   */
  void recover(Statements statements, long now, long owner, List<Long> started)
      throws SQLException {
    List<Attempt> attempts = new ArrayList<>();
    try (ResultSet rows = statements.query("interrupted-deliveries", owner)) {
      while (rows.next()) {
        attempts.add(
            new Attempt(
                rows.getString("tenant_id"),
                rows.getLong("pk"),
                rows.getLong("message_pk"),
                rows.getLong("lease_owner"),
                rows.getLong("lease_epoch"),
                holds(rows.getString("payload"), rows.getString("on_uncertain"))));
      }
    }
    for (Attempt attempt : attempts) {
      if (attempt.hold()) {
        hold(statements, now, attempt);
      } else {
        tell(statements, now, attempt.messagePk(), attempt.tenantId());
      }
    }
    for (long pk : started) {
      statements.update("count-crash", pk, owner);
    }
    statements.update("free-leases", owner);
  }

  /** An attempt that ended without a result after its DATA phase began. */
  record Attempt(String tenantId, long pk, long messagePk, long owner, long epoch, boolean hold) {}

  /** As the message says, else its account ({@code on_uncertain}). */
  private static boolean holds(String payload, @Nullable String ofAccount) {
    return "hold".equals(Json.tree(payload).path("on_uncertain").asText(ofAccount));
  }

  /** Until somebody says what became of it; nothing happens where its lease is lost. */
  void hold(Statements statements, long now, Attempt attempt) throws SQLException {
    Changeset.Count held =
        statements.later(
            "hold-uncertain", attempt.tenantId(), attempt.pk(), attempt.owner(), attempt.epoch());
    statements.flush();
    if (held.rows() == 1) {
      statements.update(
          "doubt-recipients", now, attempt.tenantId(), attempt.messagePk(), attempt.pk());
      tell(statements, now, attempt.messagePk(), attempt.tenantId());
    }
  }

  /** Writes the event. */
  void tell(Statements statements, long now, long messagePk, String tenantId) throws SQLException {
    statements.later(
        "insert-event",
        ids.next(),
        messagePk,
        tenantId,
        "uncertain",
        now,
        REASON,
        Json.text(Map.of()));
  }
}
