package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Command;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.intake.Submission;
import io.caravan.mailproxy.message.AttemptResult;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Settled;
import io.caravan.mailproxy.message.TraceParent;
import io.caravan.mailproxy.throttle.RuleBook;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The changes of the store that group many requests in one transaction: messages come in, attempts
 * reach their DATA phase, results are recorded. When a method returns, its change is on disk.
 */
public final class Outbox {
  private final GroupCommit commits;
  private final Lanes lanes;
  private final RuleBook rules;
  private final Suspensions suspensions;
  private final InFlight inFlight;
  private final Nodes nodes;
  private final Records records;
  private final AtomicLong pending = new AtomicLong();
  private final Set<String> unreported;

  /** Finds out what waits in the store. */
  public Outbox(
      Nodes nodes, Lanes lanes, RuleBook rules, Suspensions suspensions, InFlight inFlight) {
    this.nodes = nodes;
    this.commits = nodes.commits();
    this.records = new Records(nodes);
    this.lanes = lanes;
    this.rules = rules;
    this.suspensions = suspensions;
    this.inFlight = inFlight;
    Recovery recovery = new Recovery();
    pending.set(commits.commit(recovery));
    recovery.due().forEach(lanes::waitingAny);
    this.unreported = recovery.unreportedTenants();
  }

  /** Calls back after each commit: with the pieces of work in it, and its nanoseconds. */
  public void onCommit(IntConsumer works, LongConsumer nanos) {
    commits.onCommit(
        (pieces, took) -> {
          works.accept(pieces);
          nanos.accept(took);
        });
  }

  /** This run of this process, the owner of its leases. */
  public long node() {
    return nodes.self();
  }

  /**
   * Whether mail may leave under this node's leases.
   *
   * @param claimedBy what {@link #node} was when its attempt began
   */
  public boolean holdsLease(long claimedBy) {
    return nodes.holds(claimedBy);
  }

  /** Whether other nodes may work on the same store. */
  boolean isShared() {
    return nodes.isShared();
  }

  /** Messages with recipients that are not final yet. */
  public long pending() {
    return Math.max(0, pending.get());
  }

  /** Takes the answer of {@code count-pending.sql}: other nodes store and end messages too. */
  public void counted(List<Map<String, Object>> rows) {
    pending.set(((Number) rows.get(0).values().iterator().next()).longValue());
  }

  /** Tenants that had unreported events when the store was opened. */
  public Set<String> unreportedTenants() {
    return unreported;
  }

  /**
   * Stores a batch. What its lane has room for is leased at once; the rest waits in the table.
   *
   * @param command what to put into the command log with it; {@code null}: nothing
   * @param traceParent where in a trace its messages come from; {@code null}: nowhere
   * @throws StoreException nothing of the batch was kept
   */
  public Stored store(
      List<Submission> submissions, @Nullable Command command, @Nullable TraceParent traceParent) {
    long node = nodes.self();
    StoreBatch batch =
        new StoreBatch(
            submissions,
            command,
            traceParent,
            lanes,
            rules,
            suspensions,
            nodes.ids(),
            node,
            () -> nodes.holds(node));
    Failpoint.pass("intake.beforeCommit");
    Stored stored = commits.commit(batch);
    Failpoint.pass("intake.afterCommit");
    pending.addAndGet(stored.added());
    batch.waiting().forEach((row, due) -> lanes.waiting(row.lane(), row.priority(), due));
    return stored;
  }

  /** An attempt of a delivery begins: if this process ends in it, that is counted. */
  public void begin(Delivery delivery) {
    inFlight.begin(delivery.pk());
    Failpoint.pass("send.afterClaim");
  }

  /**
   * Notes that from now on the relay may get the body of this delivery's message. An attempt that
   * ends here without a result is uncertain.
   *
   * @param node what {@link #node} was when its attempt began
   * @return whether the lease still holds; if not, no body may leave
   */
  public boolean enterData(Delivery delivery, long node) {
    Failpoint.pass("send.beforeData");
    return nodes.holds(node) && commits.commit(new EnterData(delivery, node));
  }

  /** Runs work of this package in the common transaction. */
  <R> R commit(GroupCommit.Work<R> work) {
    return commits.commit(work);
  }

  /** So many messages came to their end, or are gone, without an attempt. */
  void ended(int messages) {
    pending.addAndGet(-messages);
  }

  /** Who makes the keys of events. */
  Ids ids() {
    return nodes.ids();
  }

  /** Waits for a commit as a message does that is being stored. */
  public void probe() {
    commits.commit((statements, now) -> statements.update("touch-probe", nodes.self(), now));
  }

  /**
   * Records a judged attempt: its recipients, the delivery, and the event that tells of it. Asked
   * again after a {@link StoreException}, it is recorded once.
   */
  public Settled record(AttemptResult attempt) {
    Failpoint.pass("send.beforeResultCommit");
    Delivery delivery = attempt.delivery();
    Settled settled = records.commit(attempt);
    end(delivery);
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
        commits.commit(
            new Postpone(delivery, accountId, due, until, reason, nodes.ids(), nodes.self()));
    end(delivery);
    lanes.waiting(delivery.lane(), delivery.priority(), due);
    return settled;
  }

  /** It is in this process's memory no more, nor under way. */
  private void end(Delivery delivery) {
    inFlight.end(delivery.pk());
    lanes.release(delivery);
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
                          delivery.tenantId(),
                          delivery.pk(),
                          nodes.self(),
                          delivery.epoch())
                      == 1
                  && uncertain) {
                new Interrupted(nodes.ids())
                    .tell(statements, now, delivery.messagePk(), delivery.tenantId());
              }
              return now + delayMillis;
            });
    end(delivery);
    lanes.waiting(delivery.lane(), delivery.priority(), due);
  }

  /** Holds a delivery whose body may have left, and whose attempt ended without a result. */
  public void hold(Delivery delivery) {
    commits.commit(
        (statements, now) -> {
          new Interrupted(nodes.ids())
              .hold(
                  statements,
                  now,
                  new Interrupted.Attempt(
                      delivery.tenantId(),
                      delivery.pk(),
                      delivery.messagePk(),
                      nodes.self(),
                      delivery.epoch(),
                      true));
          return now;
        });
    end(delivery);
  }

  /** Gives a delivery back whose attempt must not go on: it is due as it was before. */
  public void giveBack(Delivery delivery) {
    giveBack(List.of(delivery));
  }

  /**
   * Gives back what waits in memory for its turn.
   *
   * @param which the lanes that are meant
   */
  public void recall(Predicate<LaneKey> which) {
    giveBack(lanes.recall(which));
  }

  /** The same for many. */
  public void giveBack(List<Delivery> deliveries) {
    if (deliveries.isEmpty()) {
      return;
    }
    commits.commit(
        (statements, now) -> {
          for (Delivery delivery : deliveries) {
            statements.update(
                "give-back", delivery.tenantId(), delivery.pk(), nodes.self(), delivery.epoch());
          }
          return now;
        });
    for (Delivery delivery : deliveries) {
      end(delivery);
      lanes.waiting(delivery.lane(), delivery.priority(), 0);
    }
  }

  /**
   * Ends deliveries that wait, in one transaction.
   *
   * @param rows of {@code given-up.sql}; what is leased meanwhile is passed over
   * @return the messages that came to their end with it
   */
  public List<Ended> giveUp(List<Map<String, Object>> rows) {
    List<Ended> ended =
        commits.commit(
            (statements, now) -> {
              List<Ended> all = new ArrayList<>();
              for (Row row : Row.all(rows)) {
                String tenant = row.text("tenant_id");
                long pk = row.number("pk");
                boolean expired = row.text("reason").equals("expired");
                Ended one =
                    (expired ? EndDelivery.expired(tenant, pk) : EndDelivery.poison(tenant, pk))
                        .run(statements, nodes.ids(), now);
                if (one != null) {
                  all.add(one);
                }
              }
              return all;
            });
    pending.addAndGet(-ended.size());
    return ended;
  }

  /**
   * Settles what waits for somebody to say whether it was delivered.
   *
   * @param outcome {@code sent}, {@code failed} or {@code retry}
   * @return the message, if it came to its end with it
   * @throws Problem 404 there is no such message, 409 it does not wait so
   */
  public @Nullable Ended resolve(String tenantId, String id, String outcome) {
    Resolve resolve = new Resolve(tenantId, id, outcome, nodes.ids());
    Ended ended = commits.commit(resolve).orElse(null);
    if (!resolve.known()) {
      throw new Problem(404, "message not found");
    }
    if (resolve.due().isEmpty()) {
      throw new Problem(409, "message does not wait for its outcome to be told");
    }
    if (ended != null) {
      pending.decrementAndGet();
    }
    resolve.due().forEach(lane -> lanes.waitingAny(lane, 0));
    return ended;
  }
}
