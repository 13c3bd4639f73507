package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.intake.Submission;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.Recipient;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Stores the valid items of one batch (genro-api 1.4; DECISIONS, Intake). */
final class StoreBatch implements GroupCommit.Work<Stored> {
  private final List<Submission> submissions;
  private final Lanes lanes;
  private final Ids ids;
  private final long node;

  private final List<Delivery> hot = new ArrayList<>();
  private final List<Stored.Refused> refused = new ArrayList<>();
  private final Map<Long, Long> waiting = new HashMap<>();
  private int added;

  StoreBatch(List<Submission> submissions, Lanes lanes, Ids ids, long node) {
    this.submissions = submissions;
    this.lanes = lanes;
    this.ids = ids;
    this.node = node;
  }

  /** For each account whose rows stay in the table: when the first one is due. */
  Map<Long, Long> waiting() {
    return waiting;
  }

  @Override
  public Stored run(GroupCommit.Statements statements, long now) throws SQLException {
    for (Submission submission : submissions) {
      if (!insert(statements, submission, now)) {
        meet(statements, submission, now);
      }
    }
    int items = submissions.stream().mapToInt(Submission::items).sum();
    return new Stored(items - refused.size(), added, refused, hot);
  }

  @Override
  public void rolledBack() {
    hot.forEach(lanes::release);
    hot.clear();
    refused.clear();
    waiting.clear();
    added = 0;
  }

  private boolean insert(GroupCommit.Statements statements, Submission submission, long now)
      throws SQLException {
    Message message = submission.message();
    long pk = ids.next();
    int inserted =
        statements.update(
            "insert-message",
            pk,
            message.tenantId(),
            message.id(),
            message.accountId(),
            message.priority().level(),
            message.batchCode(),
            message.deferredTs(),
            now,
            submission.payload());
    if (inserted == 0) {
      return false;
    }
    long account = submission.account().pk();
    long size = submission.payload().length();
    long due = dueAt(message, now);
    boolean leased = due <= now && lanes.reserve(account, size);
    if (leased) {
      hot.add(
          new Delivery(
              pk, pk, account, 1, message.priority(), 0, now, size, message, message.recipients()));
    } else {
      waiting.merge(account, due, Math::min);
    }
    statements.update(
        "insert-delivery",
        pk,
        pk,
        account,
        leased ? "leased" : "due",
        message.priority().level(),
        due,
        leased ? node : null,
        now,
        size);
    insertRecipients(statements, pk, message, now);
    added++;
    return true;
  }

  /** The id is known: the same again, a new form of what did not start yet, or too late. */
  private void meet(GroupCommit.Statements statements, Submission submission, long now)
      throws SQLException {
    Message message = submission.message();
    long pk;
    long delivery;
    boolean untouched;
    try (ResultSet row = statements.query("find-message", message.tenantId(), message.id())) {
      row.next();
      pk = row.getLong("pk");
      delivery = row.getLong("delivery");
      if (row.wasNull()) {
        refuse(submission, "already sent");
        return;
      }
      if (submission.payload().equals(row.getString("payload"))) {
        return;
      }
      untouched =
          row.getString("state").equals("due")
              && row.getInt("attempts") == 0
              && row.getInt("in_data") == 0
              && !row.next();
    }
    if (!untouched) {
      refuse(submission, "in delivery");
      return;
    }
    long due = dueAt(message, 0);
    statements.update(
        "replace-message",
        message.accountId(),
        message.priority().level(),
        message.batchCode(),
        message.deferredTs(),
        submission.payload(),
        pk);
    statements.update(
        "replace-delivery",
        submission.account().pk(),
        message.priority().level(),
        due,
        submission.payload().length(),
        delivery);
    statements.update("delete-recipients", pk);
    insertRecipients(statements, pk, message, now);
    waiting.merge(submission.account().pk(), due, Math::min);
  }

  private void insertRecipients(
      GroupCommit.Statements statements, long pk, Message message, long now) throws SQLException {
    for (Recipient recipient : message.recipients()) {
      statements.update("insert-recipient", pk, recipient.position(), pk, recipient.address(), now);
    }
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
    return deferred > Long.MAX_VALUE / 1000 ? Long.MAX_VALUE : deferred * 1000;
  }
}
