package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.intake.Submission;
import io.caravan.mailproxy.message.AttemptResult;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Health;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Settled;
import io.caravan.mailproxy.throttle.RuleBook;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The changes of the store that group many requests in one transaction: messages come in, attempts
 * reach their DATA phase, results are recorded. When a method returns, its change is on disk.
 */
public final class Outbox implements AutoCloseable {
  private final GroupCommit commits;
  private final Lanes lanes;
  private final RuleBook rules;
  private final Ids ids;
  private final long node;
  private final AtomicLong pending = new AtomicLong();
  private final Set<String> unreported = new HashSet<>();

  /** Opens the store for this process and frees what its forerunner had leased. */
  public Outbox(Database database, Lanes lanes, RuleBook rules) {
    this.rules = rules;
    this.commits = new GroupCommit(database.writer(), database.sql());
    this.lanes = lanes;
    this.ids = new Ids(commits.commit((statements, now) -> one(statements.query("greatest-key"))));
    this.node = ids.next();
    recover();
  }

  /** This run of this process, the owner of its leases. */
  public long node() {
    return node;
  }

  /** Messages with recipients that are not final yet. */
  public long pending() {
    return pending.get();
  }

  /** Tenants that had unreported events when the store was opened. */
  public Set<String> unreportedTenants() {
    return Set.copyOf(unreported);
  }

  /**
   * Stores a batch. What its lane has room for is leased at once; the rest waits in the table.
   *
   * @throws StoreException nothing of the batch was kept
   */
  public Stored store(List<Submission> submissions) {
    StoreBatch batch = new StoreBatch(submissions, lanes, rules, ids, node);
    Stored stored = commits.commit(batch);
    pending.addAndGet(stored.added());
    batch.waiting().forEach((row, due) -> lanes.waiting(row.lane(), row.priority(), due));
    return stored;
  }

  /**
   * Notes that from now on the relay may get the body of this delivery's message. An attempt that
   * ends here without a result is uncertain.
   *
   * @return whether the lease still holds; if not, no body may leave
   */
  public boolean enterData(Delivery delivery) {
    return commits.commit(
            (statements, now) ->
                statements.update("enter-data", delivery.pk(), node, delivery.epoch()))
        == 1;
  }

  /** Runs work of this package in the common transaction. */
  <R> R commit(GroupCommit.Work<R> work) {
    return commits.commit(work);
  }

  /** Waits for a commit as a message does that is being stored. */
  public void probe() {
    commits.commit((statements, now) -> statements.update("touch-probe", node, now));
  }

  /** Records a judged attempt: its recipients, the delivery, and the event that tells of it. */
  public Settled record(AttemptResult attempt) {
    Settled settled = commits.commit(new RecordAttempt(attempt, ids, node));
    Delivery delivery = attempt.delivery();
    lanes.release(delivery);
    if (settled.nextAttemptAt() != null) {
      lanes.waiting(delivery.lane(), delivery.priority(), settled.nextAttemptAt());
    }
    if (settled.fate() != Settled.Fate.PENDING) {
      pending.decrementAndGet();
    }
    return settled;
  }

  /**
   * Puts a delivery off that a limit does not let begin: it is due again then, or keeps its place
   * in a lane that stands still until then. No attempt is used up.
   *
   * @param accountId the account whose limit it is
   * @param until when there is leave, Unix milliseconds
   * @param inPlace whether its lane stands still until then
   * @param reason tells why in the event; {@code null}: there is none
   */
  public Settled postpone(
      Delivery delivery, String accountId, long until, boolean inPlace, @Nullable String reason) {
    long due = inPlace ? placeOf(delivery, until) : until;
    Settled settled =
        commits.commit(new Postpone(delivery, accountId, due, until, reason, ids, node));
    lanes.release(delivery);
    lanes.waiting(delivery.lane(), delivery.priority(), due);
    return settled;
  }

  /** Gives back, in their places, what was not begun. */
  public void giveBack(List<Delivery> deliveries) {
    if (deliveries.isEmpty()) {
      return;
    }
    long at =
        commits.commit(
            (statements, now) -> {
              for (Delivery delivery : deliveries) {
                statements.update(
                    "release-delivery",
                    placeOf(delivery, now),
                    delivery.pk(),
                    node,
                    delivery.epoch());
              }
              return now;
            });
    for (Delivery delivery : deliveries) {
      lanes.release(delivery);
      lanes.waiting(delivery.lane(), delivery.priority(), placeOf(delivery, at));
    }
  }

  /** A due time by which a first attempt is in front of those that came later. */
  private static long placeOf(Delivery delivery, long until) {
    return delivery.attempts() == 0 ? Math.min(delivery.acceptedAt(), until) : until;
  }

  /**
   * Gives a delivery back whose attempt ended without a result.
   *
   * @param delayMillis milliseconds until it is due again
   * @param uncertain whether its body may have left: that counts as an attempt and is told
   */
  public void release(Delivery delivery, long delayMillis, boolean uncertain) {
    long due =
        commits.commit(
            (statements, now) -> {
              if (statements.update(
                          "release-delivery",
                          now + delayMillis,
                          delivery.pk(),
                          node,
                          delivery.epoch())
                      == 1
                  && uncertain) {
                new Interrupted(ids)
                    .tell(statements, now, delivery.messagePk(), delivery.loaded().tenantId());
              }
              return now + delayMillis;
            });
    lanes.release(delivery);
    lanes.waiting(delivery.lane(), delivery.priority(), due);
  }

  /** Keeps an event that tells of an account; it belongs to no message, its key there is 0. */
  public void accountHealth(Health health) {
    Map<String, Object> data = new LinkedHashMap<>(health.told());
    data.put("account_id", health.account().id());
    String tenant = health.account().tenantId();
    commits.commit(
        (statements, now) ->
            statements.update(
                "insert-event",
                ids.next(),
                0,
                tenant,
                "account",
                now,
                health.reason(),
                Json.text(data)));
  }

  @Override
  public void close() {
    commits.close();
  }

  private void recover() {
    Map<LaneKey, Long> due = new HashMap<>();
    pending.set(
        commits.commit(
            (statements, now) -> {
              new Interrupted(ids).recover(statements, now);
              try (ResultSet rows = statements.query("lanes")) {
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
            }));
    due.forEach(lanes::waitingAny);
  }

  private static long one(ResultSet rows) throws SQLException {
    try (rows) {
      rows.next();
      return rows.getLong(1);
    }
  }
}
