package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.LaneKey;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Somebody says what became of a message whose outcome nobody knew ({@code on_uncertain}). */
final class Resolve implements GroupCommit.Work<Optional<Ended>> {
  private final String tenantId;
  private final String id;
  private final String outcome;
  private final Ids ids;
  private final Set<LaneKey> due = new HashSet<>();
  private boolean known;

  private record Held(long pk, long messagePk) {}

  /**
   * @param outcome {@code sent}, {@code failed} or {@code retry}
   */
  Resolve(String tenantId, String id, String outcome, Ids ids) {
    this.tenantId = tenantId;
    this.id = id;
    this.outcome = outcome;
    this.ids = ids;
  }

  /** Whether there is such a message. */
  boolean known() {
    return known;
  }

  /** The lanes of what it settled; empty: nothing waited for it. */
  Set<LaneKey> due() {
    return due;
  }

  @Override
  public void rolledBack() {
    due.clear();
  }

  @Override
  public Optional<Ended> run(Statements statements, long now) throws SQLException {
    Ended ended = null;
    for (Held held : held(statements)) {
      if (outcome.equals("retry")) {
        statements.update("retry-recipients", now, tenantId, held.messagePk(), held.pk());
        statements.update("retry-held", now, tenantId, held.pk());
      } else {
        ended =
            EndDelivery.resolved(tenantId, held.pk(), outcome.equals("sent"))
                .run(statements, ids, now);
      }
    }
    return Optional.ofNullable(ended);
  }

  private List<Held> held(Statements statements) throws SQLException {
    List<Held> held = new ArrayList<>();
    try (ResultSet rows = statements.query("uncertain-deliveries", tenantId, id)) {
      while (rows.next()) {
        known = true;
        long pk = rows.getLong("pk");
        if (!rows.wasNull()) {
          held.add(new Held(pk, rows.getLong("message_pk")));
          due.add(new LaneKey(rows.getLong("account_pk"), rows.getLong("rule_pk")));
        }
      }
    }
    return held;
  }
}
