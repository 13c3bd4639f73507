package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.http.Command;
import io.caravan.mailproxy.intake.Submission;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.Priority;
import io.caravan.mailproxy.message.Recipient;
import io.caravan.mailproxy.message.TraceParent;
import io.caravan.mailproxy.throttle.RuleBook;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Stores the valid items of one batch (genro-api 1.4; DECISIONS, Intake). */
final class StoreBatch implements GroupCommit.Work<Stored> {
  private static final int OK = 200;

  private final List<Submission> submissions;
  private final @Nullable Command command;
  private final @Nullable TraceParent traceParent;
  private final Lanes lanes;
  private final RuleBook rules;
  private final Suspensions suspensions;
  private final Ids ids;
  private final long node;
  private final BooleanSupplier mayLease;

  private final List<Long> keys = new ArrayList<>();
  private final List<Changeset.Count> inserted = new ArrayList<>();
  private final List<Delivery> hot = new ArrayList<>();
  private final List<Stored.Refused> refused = new ArrayList<>();
  private final Map<Waiting, Long> waiting = new HashMap<>();
  private int added;

  /** Rows of a lane that stay in the table. */
  record Waiting(LaneKey lane, Priority priority) {}

  StoreBatch(
      List<Submission> submissions,
      @Nullable Command command,
      @Nullable TraceParent traceParent,
      Lanes lanes,
      RuleBook rules,
      Suspensions suspensions,
      Ids ids,
      long node,
      BooleanSupplier mayLease) {
    this.submissions = submissions;
    this.command = command;
    this.traceParent = traceParent;
    this.lanes = lanes;
    this.rules = rules;
    this.suspensions = suspensions;
    this.ids = ids;
    this.node = node;
    this.mayLease = mayLease;
  }

  /** When the first one of them is due, Unix milliseconds. */
  Map<Waiting, Long> waiting() {
    return waiting;
  }

  @Override
  public void ask(Statements statements, long now) throws SQLException {
    statements.storing();
    for (Submission submission : submissions) {
      Message message = submission.message();
      keys.add(ids.next());
      inserted.add(
          statements.later(
              "insert-message",
              keys.get(keys.size() - 1),
              message.tenantId(),
              message.id(),
              message.accountId(),
              message.priority().level(),
              message.batchCode(),
              message.deferredTs(),
              now,
              submission.payload(),
              trace()));
    }
  }

  @Override
  public Stored run(Statements statements, long now) throws SQLException {
    for (int i = 0; i < submissions.size(); i++) {
      if (inserted.get(i).rows() == 1) {
        insertDeliveries(statements, submissions.get(i), keys.get(i), now, true, false);
        added++;
      } else {
        meet(statements, submissions.get(i));
      }
    }
    int queued = submissions.stream().mapToInt(Submission::items).sum() - refused.size();
    if (command != null && queued > 0) {
      CommandLog.insert(statements, command, OK, now);
    }
    return new Stored(queued, added, refused, hot);
  }

  @Override
  public void rolledBack() {
    keys.clear();
    inserted.clear();
    hot.forEach(lanes::release);
    hot.clear();
    refused.clear();
    waiting.clear();
    added = 0;
  }

  private void insertDeliveries(
      Statements statements,
      Submission submission,
      long pk,
      long accepted,
      boolean mayBeHot,
      boolean manual)
      throws SQLException {
    Message message = submission.message();
    List<Split.Part> parts = Split.of(message, submission.account(), rules);
    long size = submission.payload().length();
    long due = dueAt(message, accepted);
    for (int i = 0; i < parts.size(); i++) {
      Split.Part part = parts.get(i);
      long delivery = pk + i;
      boolean held = manual || suspensions.holdsBatch(part.lane(), message.batchCode());
      boolean leased =
          !held
              && mayBeHot
              && due <= accepted
              && mayLease.getAsBoolean()
              && lanes.reserve(part.lane(), message.priority(), size);
      if (leased) {
        Delivery begun =
            new Delivery(
                message.tenantId(),
                delivery,
                pk,
                part.lane(),
                1,
                message.priority(),
                0,
                accepted,
                size,
                message,
                part.recipients(),
                traceParent);
        lanes.keep(begun);
        hot.add(begun);
      } else if (!held) {
        waiting.merge(new Waiting(part.lane(), message.priority()), due, Math::min);
      }
      statements.later(
          "insert-delivery",
          message.tenantId(),
          delivery,
          pk,
          part.lane().accountPk(),
          part.lane().rulePk(),
          leased ? "leased" : held ? "held" : "due",
          message.priority().level(),
          due,
          leased ? node : null,
          accepted,
          size,
          message.batchCode(),
          message.expiresTs() == null ? null : millis(message.expiresTs()),
          held ? manual ? "manual" : "suspended" : null);
      for (Recipient recipient : part.recipients()) {
        statements.later(
            "insert-recipient",
            message.tenantId(),
            pk,
            recipient.position(),
            delivery,
            recipient.address(),
            accepted);
      }
    }
  }

  /** The id is known: the same again, a new form of what did not start yet, or too late. */
  private void meet(Statements statements, Submission submission) throws SQLException {
    Message message = submission.message();
    long pk;
    long accepted;
    boolean untouched = true;
    boolean manual = false;
    try (ResultSet row = statements.query("find-message", message.tenantId(), message.id())) {
      row.next();
      pk = row.getLong("pk");
      accepted = row.getLong("accepted_at");
      if (row.wasNull()) {
        refuse(submission, "already sent");
        return;
      }
      if (submission.payload().equals(row.getString("payload"))) {
        return;
      }
      do {
        untouched &=
            !row.getString("state").equals("leased")
                && row.getInt("attempts") == 0
                && row.getInt("in_data") == 0;
        manual |= "manual".equals(row.getString("hold_reason"));
      } while (row.next());
    }
    if (!untouched) {
      refuse(submission, "in delivery");
      return;
    }
    statements.update(
        "replace-message",
        message.accountId(),
        message.priority().level(),
        message.batchCode(),
        message.deferredTs(),
        submission.payload(),
        trace(),
        message.tenantId(),
        pk);
    statements.update("delete-deliveries", message.tenantId(), pk, pk);
    statements.update("delete-recipients", message.tenantId(), pk);
    insertDeliveries(statements, submission, pk, accepted, false, manual);
  }

  private @Nullable String trace() {
    return traceParent == null ? null : traceParent.text();
  }

  private void refuse(Submission submission, String reason) {
    String id = submission.message().id();
    refused.add(new Stored.Refused(submission.index(), id, reason));
    submission.copies().forEach(index -> refused.add(new Stored.Refused(index, id, reason)));
  }

  /** A client's deferred_ts may lie anywhere; in the past it means at once. */
  private static long dueAt(Message message, long now) {
    Long deferred = message.deferredTs();
    if (deferred == null || deferred <= now / 1000) {
      return now;
    }
    return millis(deferred);
  }

  private static long millis(long seconds) {
    return seconds > Long.MAX_VALUE / 1000 ? Long.MAX_VALUE : seconds * 1000;
  }
}
