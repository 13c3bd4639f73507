package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.throttle.Ledger;
import io.caravan.mailproxy.throttle.Limit;
import io.caravan.mailproxy.throttle.Tally;
import io.caravan.mailproxy.throttle.Window;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The ledger of permits in tables {@code rate_open} and {@code rate_bucket}, by group commit. */
public final class RateLedger implements Ledger {
  private final Nodes nodes;

  public RateLedger(Nodes nodes) {
    this.nodes = nodes;
  }

  @Override
  public List<State> book(List<Entry> entries) {
    long node = nodes.self();
    return nodes
        .aside()
        .commit(
            (statements, now) -> {
              lock(statements, entries);
              List<State> states = new ArrayList<>(entries.size());
              for (Entry entry : entries) {
                states.add(book(statements, node, entry, now));
              }
              return states;
            });
  }

  @Override
  public List<LaneKey> scopes() {
    return nodes
        .aside()
        .commit(
            (statements, now) -> {
              try (ResultSet rows = statements.query("rate-scopes")) {
                return keys(rows);
              }
            });
  }

  @Override
  public void ping() {
    nodes.aside().commit((statements, now) -> now);
  }

  @Override
  public void onLost(Runnable forget) {
    nodes.onLost(forget);
  }

  /** In one order, so that two nodes never wait for each other. */
  private static void lock(Statements statements, List<Entry> entries) throws SQLException {
    List<LaneKey> scopes =
        entries.stream()
            .map(Entry::scope)
            .sorted(Comparator.comparingLong(LaneKey::accountPk).thenComparingLong(LaneKey::rulePk))
            .toList();
    for (LaneKey scope : scopes) {
      statements.query("rate-lock", scope.accountPk(), scope.rulePk()).close();
    }
  }

  private static State book(Statements statements, long node, Entry entry, long now)
      throws SQLException {
    LaneKey scope = entry.scope();
    if (entry.ended() > 0) {
      count(statements, scope, entry.ended(), now);
    }
    long closed = entry.ended() + entry.returned();
    if (closed > 0) {
      reserve(statements, node, scope, -closed);
    }
    List<Limit> limits = entry.limits();
    if (limits.isEmpty()) {
      return new State(0, 0, Optional.empty());
    }
    Tally tally = tally(statements, scope);
    long left = tally.left(limits, now);
    long granted = Math.min(left, entry.wanted());
    if (granted > 0) {
      reserve(statements, node, scope, granted);
    }
    return new State(granted, left - granted, tally.usage(limits, now));
  }

  private static Tally tally(Statements statements, LaneKey scope) throws SQLException {
    Tally tally;
    try (ResultSet rows = statements.query("rate-open", scope.accountPk(), scope.rulePk())) {
      rows.next();
      tally = new Tally(rows.getLong(1));
    }
    try (ResultSet rows = statements.query("rate-buckets", scope.accountPk(), scope.rulePk())) {
      while (rows.next()) {
        tally.ended(rows.getLong("span"), rows.getLong("bucket"), rows.getLong("used"));
      }
    }
    return tally;
  }

  private static void reserve(Statements statements, long node, LaneKey scope, long permits)
      throws SQLException {
    statements.update("rate-reserve", scope.accountPk(), scope.rulePk(), node, permits);
  }

  /** In all windows, so that a limit that is set later knows of it. */
  private static void count(Statements statements, LaneKey scope, long permits, long now)
      throws SQLException {
    for (Window window : Window.values()) {
      statements.update(
          "rate-count",
          scope.accountPk(),
          scope.rulePk(),
          window.seconds(),
          window.bucket(now),
          permits);
    }
  }

  /** What a process left open that is gone counts as ended now. */
  static void close(Statements statements, long owner, long now) throws SQLException {
    record Left(LaneKey scope, long open) {}
    List<Left> left = new ArrayList<>();
    try (ResultSet rows = statements.query("rate-left-open", owner)) {
      while (rows.next()) {
        left.add(
            new Left(
                new LaneKey(rows.getLong("account_pk"), rows.getLong("rule_pk")),
                rows.getLong("open")));
      }
    }
    for (Left one : left) {
      count(statements, one.scope(), one.open(), now);
    }
    statements.update("rate-forget-open", owner);
  }

  private static List<LaneKey> keys(ResultSet rows) throws SQLException {
    List<LaneKey> keys = new ArrayList<>();
    while (rows.next()) {
      keys.add(new LaneKey(rows.getLong("account_pk"), rows.getLong("rule_pk")));
    }
    return keys;
  }
}
