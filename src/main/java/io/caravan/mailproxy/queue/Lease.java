package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.db.Row;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * This node's lease on all that it has claimed. Where other nodes share the store it has to be
 * renewed, or they take over what it holds; a store of one process is never taken over.
 */
public final class Lease {
  private static final int TRIES = 10;

  private final Database database;
  private final long millis;
  private String name = "";
  private String port = "";
  private volatile long node;
  private volatile int slot;
  private volatile long renewedNanos = System.nanoTime();
  private volatile long askedNanos;
  private volatile boolean leads;

  /**
   * @param seconds until others take over from a node that does not renew, 2 and more
   */
  public Lease(Database database, long seconds) {
    this.database = database;
    this.millis = seconds * 1000;
    this.leads = !database.isShared();
  }

  /** Name of this node, the same after a restart and of no other; blank: host and port. */
  public void setName(String name) {
    this.name = name;
  }

  /** Where it answers. */
  public void setPort(String port) {
    this.port = port;
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }

  /** Whether others may take over. */
  boolean isShared() {
    return database.isShared();
  }

  String name() {
    return name.isBlank() ? host() + ":" + port : name.strip();
  }

  /** The owner of what this process has leased. */
  long node() {
    return node;
  }

  /** Part of the keys that it makes: no other node has the same. */
  int slot() {
    return slot;
  }

  /** Takes part, on a store of one process. */
  void begin(long owner) {
    node = owner;
  }

  /** Takes part, at the start; what an earlier process of the same name held is free. */
  void join(GroupCommit commits) {
    take(
        commits,
        (statements, now) -> {
          statements.update("expire-node", name());
          return joined(statements);
        },
        () -> {});
  }

  /**
   * Takes part again under a new number; what this process held is free. Another one of the same
   * name is left alone: two that end each other's leases would never come to rest.
   *
   * @param forget called when nobody works under the new number yet
   */
  void rejoin(GroupCommit commits, Runnable forget) {
    long lost = node;
    take(
        commits,
        (statements, now) -> {
          statements.update("end-lease", lost);
          return joined(statements);
        },
        forget);
  }

  /** What is not on disk is no lease: the number counts from the commit on. */
  private void take(GroupCommit commits, GroupCommit.Work<Joined> join, Runnable before) {
    for (int i = 1; ; i++) {
      try {
        long asked = System.nanoTime();
        Joined joined = commits.commit(join);
        before.run();
        slot = joined.slot();
        node = joined.node();
        renewedNanos = asked;
        return;
      } catch (StoreException e) {
        if (i == TRIES) {
          throw e;
        }
      }
    }
  }

  private record Joined(long node, int slot) {}

  private Joined joined(Statements statements) throws SQLException {
    try (ResultSet row = statements.query("join-node", name(), millis)) {
      if (!row.next()) {
        throw new SQLException("as many nodes as there can be work on this database");
      }
      return new Joined(row.getLong("pk"), row.getInt("slot"));
    }
  }

  /** Parameters for {@code renew-lease.sql}. */
  public Map<String, Object> renewing() {
    askedNanos = System.nanoTime();
    return Map.of("node", node, "lease", millis);
  }

  /**
   * Takes the rows of {@code renew-lease.sql}.
   *
   * @return whether the lease holds; else others may have taken over
   */
  public boolean renewed(List<Map<String, Object>> rows) throws SQLException {
    if (rows.isEmpty()) {
      leads = false;
      return false;
    }
    renewedNanos = askedNanos;
    leads = new Row(rows.get(0)).number("first") == node;
    database.setClock();
    return true;
  }

  /**
   * Whether mail may leave under it: the last renewal is younger than half of it (DECISIONS,
   * Outcome), so nobody has taken over.
   */
  boolean holds() {
    return !database.isShared()
        || System.nanoTime() - renewedNanos < TimeUnit.MILLISECONDS.toNanos(millis) / 2;
  }

  /**
   * Whether mail may leave that was claimed under a number: a lease that was lost does not come
   * back with the next one.
   */
  boolean holds(long claimedBy) {
    return claimedBy == node && holds();
  }

  /** Whether this node does what only one is to do: the longest here. */
  public boolean leads() {
    return leads && holds();
  }
}
