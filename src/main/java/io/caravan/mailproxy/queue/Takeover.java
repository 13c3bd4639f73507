package io.caravan.mailproxy.queue;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;

/**
 * Frees what a process had leased that is gone, tells which of its attempts are uncertain, and
 * takes its open permits for used.
 */
final class Takeover implements GroupCommit.Work<Boolean> {
  private final Ids ids;
  private final long owner;
  private final List<Long> started;
  private final boolean shared;

  /**
   * @param started keys of the deliveries that it was working on when it ended, as far as known
   * @param shared whether others may do the same now, or the owner live on
   */
  Takeover(Ids ids, long owner, List<Long> started, boolean shared) {
    this.ids = ids;
    this.owner = owner;
    this.started = started;
    this.shared = shared;
  }

  /** Answers whether it was taken over here. */
  @Override
  public Boolean run(Statements statements, long now) throws SQLException {
    if (shared && !mayTake(statements)) {
      return false;
    }
    new Interrupted(ids).recover(statements, now, owner, started);
    RateLedger.close(statements, owner, now);
    if (shared) {
      statements.update("forget-node", owner);
    }
    return true;
  }

  private boolean mayTake(Statements statements) throws SQLException {
    if (!locked(statements.query("lock-dead-node", owner))
        && !locked(statements.query("lock-forgotten-node", owner, owner))) {
      return false;
    }
    statements.query("lock-leases", owner).close();
    return true;
  }

  private static boolean locked(ResultSet row) throws SQLException {
    try (row) {
      return row.next();
    }
  }
}
