package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.LaneKey;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a process finds in the store at its start. Answers the number of messages with recipients
 * that are not final yet.
 */
final class Recovery implements GroupCommit.Work<Long> {
  private final Map<LaneKey, Long> due = new HashMap<>();
  private final Set<String> unreported = new HashSet<>();

  /** The greatest key in the store, 0 if there is none; the first of this process is above it. */
  static long greatestKey(Statements statements, long now) throws SQLException {
    return one(statements.query("greatest-key"));
  }

  @Override
  public Long run(Statements statements, long now) throws SQLException {
    try (ResultSet rows = statements.query("earliest-due")) {
      while (rows.next()) {
        due.put(
            new LaneKey(rows.getLong("account_pk"), rows.getLong("rule_pk")),
            rows.getLong("due_at"));
      }
    }
    try (ResultSet rows = statements.query("unreported-tenants")) {
      while (rows.next()) {
        unreported.add(rows.getString(1));
      }
    }
    return one(statements.query("count-pending"));
  }

  /** The lanes in which deliveries wait, each with its earliest due time, Unix milliseconds. */
  Map<LaneKey, Long> due() {
    return due;
  }

  /** Tenants with events that were not reported yet. */
  Set<String> unreportedTenants() {
    return Set.copyOf(unreported);
  }

  /** Processes that have leases or open permits. */
  static List<Long> owners(Statements statements, long now) throws SQLException {
    List<Long> owners = new ArrayList<>();
    try (ResultSet rows = statements.query("owners")) {
      while (rows.next()) {
        owners.add(rows.getLong(1));
      }
    }
    return owners;
  }

  private static long one(ResultSet rows) throws SQLException {
    try (rows) {
      rows.next();
      return rows.getLong(1);
    }
  }
}
