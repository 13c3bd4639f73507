package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.http.Json;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Frees the leases of a process that ended, and tells which of its attempts are uncertain. */
final class Interrupted {
  private static final String REASON =
      "the attempt ended without a result after its DATA phase began";

  private final Ids ids;

  Interrupted(Ids ids) {
    this.ids = ids;
  }

  void recover(GroupCommit.Statements statements, long now) throws SQLException {
    record Attempt(long messagePk, String tenantId) {}
    List<Attempt> attempts = new ArrayList<>();
    try (ResultSet rows = statements.query("interrupted-deliveries")) {
      while (rows.next()) {
        attempts.add(new Attempt(rows.getLong("message_pk"), rows.getString("tenant_id")));
      }
    }
    for (Attempt attempt : attempts) {
      tell(statements, now, attempt.messagePk(), attempt.tenantId());
    }
    statements.update("free-leases");
  }

  /** Writes the event. */
  void tell(GroupCommit.Statements statements, long now, long messagePk, String tenantId)
      throws SQLException {
    statements.update(
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
