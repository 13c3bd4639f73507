package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.message.Delivery;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The processes that work on the store: this one writes there under its lease, and what others had
 * leased that are gone is free again.
 */
public final class Nodes implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Nodes.class);

  private final Lease lease;
  private final Lanes lanes;
  private final GroupCommit commits;
  private final GroupCommit aside;
  private final Ids ids;
  private final List<Runnable> lost = new CopyOnWriteArrayList<>();

  /** Takes part, and frees at once what this process's forerunner had leased. */
  public Nodes(Database database, Lease lease, Lanes lanes, InFlight inFlight) {
    this.lease = lease;
    this.lanes = lanes;
    this.commits = new GroupCommit(database, database.commits());
    this.aside = database.isShared() ? new GroupCommit(database, database.aside()) : commits;
    this.ids = new Ids(database.clock(), lease::slot, commits.commit(Recovery::greatestKey));
    if (lease.isShared()) {
      lease.join(aside);
      takeOver(database.rows("dead-nodes"), inFlight.before());
    } else {
      lease.begin(ids.next());
      for (long owner : commits.commit(Recovery::owners)) {
        commits.commit(new Takeover(ids, owner, inFlight.before(), false));
      }
    }
    inFlight.forget();
  }

  /** The transactions that group whatever waits. */
  GroupCommit commits() {
    return commits;
  }

  /** For transactions that may have to wait for other nodes. */
  GroupCommit aside() {
    return aside;
  }

  /** Who makes the keys of messages and events. */
  Ids ids() {
    return ids;
  }

  /** This run of this process, the owner of its leases. */
  public long self() {
    return lease.node();
  }

  /**
   * Whether mail may leave under this node's leases.
   *
   * @param claimedBy what {@link #self} was when it was claimed
   */
  boolean holds(long claimedBy) {
    return lease.holds(claimedBy);
  }

  /** Whether there may be others. */
  public boolean isShared() {
    return lease.isShared();
  }

  /** Calls back when a lease was lost and before the next one counts. */
  public void onLost(Runnable forget) {
    lost.add(forget);
  }

  /**
   * Takes over from nodes whose leases have ended.
   *
   * @param rows of {@code dead-nodes.sql}
   */
  public void takeOver(List<Map<String, Object>> rows) {
    takeOver(rows, List.of());
  }

  /**
   * @param started what this process's forerunner was working on
   */
  private void takeOver(List<Map<String, Object>> rows, List<Long> started) {
    for (Row row : Row.all(rows)) {
      boolean ours = row.text("name").equals(lease.name());
      Takeover takeover = new Takeover(ids, row.number("pk"), ours ? started : List.of(), true);
      if (aside.commit(takeover) && !ours) {
        boolean left = row.number("until_at") == 0;
        LOG.atLevel(left ? Level.INFO : Level.WARN)
            .log(
                "Node {} ({}) {}: its deliveries are free for the others",
                row.text("name"),
                row.number("pk"),
                left ? "has left" : "is gone");
      }
    }
  }

  /** The lease was lost: what waits in memory is not this node's any more, and it begins anew. */
  public void rejoin() {
    List<Delivery> left = lanes.recall(lane -> true);
    try {
      lease.rejoin(aside, () -> lost.forEach(Runnable::run));
    } finally {
      left.forEach(lanes::release);
    }
    LOG.warn(
        "The lease of node {} was not renewed in time, or another process took its name: it begins"
            + " anew, {} deliveries in memory are left to others",
        lease.name(),
        left.size());
  }

  /** What this node still has leased is free for the others at once. */
  private void leave() {
    try {
      aside.commit((statements, now) -> statements.update("end-lease", lease.node()));
      aside.commit(new Takeover(ids, lease.node(), List.of(), true));
    } catch (StoreException e) {
      LOG.warn("This node's leases could not be given back, they end by themselves", e);
    }
  }

  @Override
  public void close() {
    if (lease.isShared()) {
      leave();
      aside.close();
    }
    commits.close();
  }
}
