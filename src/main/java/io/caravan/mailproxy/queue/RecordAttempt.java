package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.AttemptResult;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Settled;
import io.caravan.mailproxy.message.Verdict;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Writes one judged attempt: delivery, recipients, event. */
final class RecordAttempt implements GroupCommit.Work<Settled> {
  private final AttemptResult attempt;
  private final Delivery delivery;
  private final Ids ids;
  private final long node;
  private @Nullable Long next;
  private Changeset.@Nullable Count moved;

  /** Key of the first event of the last run, 0 before one. */
  private long firstEvent;

  private @Nullable Settled settled;

  RecordAttempt(AttemptResult attempt, Ids ids, long node) {
    this.attempt = attempt;
    this.delivery = attempt.delivery();
    this.ids = ids;
    this.node = node;
  }

  boolean isUnder(long epoch) {
    return delivery.epoch() == epoch;
  }

  @Override
  public void ask(Statements statements, long now) throws SQLException {
    next = attempt.deferred() ? (Long) (now + shortestDelay()) : null;
    moved = next == null && mayHaveDoubts() ? null : move(statements, attempt.held());
  }

  @Override
  public void rolledBack() {
    moved = null;
  }

  /**
   * Run again after a commit of which nobody knows whether it was made, it answers as before where
   * that is so.
   */
  @Override
  public Settled run(Statements statements, long now) throws SQLException {
    boolean held = next == null && attempt.held();
    if (moved == null) {
      held = doubted(statements);
      moved = move(statements, held);
      statements.flush();
    }
    boolean late = moved.rows() == 0;
    if (late
        && settled != null
        && has(statements, "has-event", delivery.tenantId(), delivery.messagePk(), firstEvent)) {
      return settled;
    }
    firstEvent = 0;
    settled = late ? late(statements, now) : settle(statements, now, held);
    return settled;
  }

  private Settled late(Statements statements, long now) throws SQLException {
    if (has(statements, "has-message", delivery.tenantId(), delivery.messagePk())) {
      event(statements, "late", now, null, null);
    }
    return new Settled(Settled.Result.LATE, Settled.Fate.PENDING, null, now, null);
  }

  private Settled settle(Statements statements, long now, boolean held) throws SQLException {
    for (Verdict verdict : attempt.verdicts()) {
      settle(statements, verdict, now);
    }
    if (attempt.verdicts().stream().anyMatch(RecordAttempt::uncertain)) {
      event(statements, "uncertain", now, reasons(RecordAttempt::uncertain), null);
    }
    told(statements, "expired", Verdict.Fate.EXPIRED, now);
    told(statements, "cancelled", Verdict.Fate.CANCELLED, now);
    if (next != null) {
      String reason = reasons(v -> v.fate() == Verdict.Fate.DEFERRED);
      event(statements, "deferred", now, reason, next);
      return new Settled(
          attempt.result(),
          Settled.Fate.PENDING,
          words(v -> v.fate() == Verdict.Fate.DEFERRED),
          now,
          next);
    }
    return held
        ? new Settled(Settled.Result.HELD, Settled.Fate.PENDING, null, now, null)
        : finish(statements, now);
  }

  private boolean has(Statements statements, String query, Object... keys) throws SQLException {
    try (ResultSet rows = statements.query(query, keys)) {
      rows.next();
      return rows.getBoolean(1);
    }
  }

  private void told(Statements statements, String event, Verdict.Fate fate, long now)
      throws SQLException {
    if (attempt.verdicts().stream().anyMatch(v -> v.fate() == fate)) {
      event(statements, event, now, reasons(v -> v.fate() == fate), null);
    }
  }

  /** Ends the message, if this was the last of its deliveries. */
  private Settled finish(Statements statements, long now) throws SQLException {
    if (reachedAll()) {
      event(statements, "sent", now, null, null);
      return new Settled(attempt.result(), Settled.Fate.SENT, null, now, null);
    }
    MessageEnd end = MessageEnd.of(statements, delivery.tenantId(), delivery.messagePk());
    boolean last = end.fate() != Settled.Fate.PENDING;
    event(statements, last ? end.event() : "attempt", now, end.text(), null);
    return new Settled(attempt.result(), end.fate(), end.words(), now, null);
  }

  /**
   * Puts the row where it belongs. It is held when nobody is left to retry and a recipient, of this
   * attempt or one before, is uncertain.
   *
   * @return rows changed, 0: the lease was lost
   */
  private Changeset.Count move(Statements statements, boolean held) throws SQLException {
    if (next != null) {
      return statements.later(
          "defer-delivery", next, delivery.tenantId(), delivery.pk(), node, delivery.epoch());
    }
    return statements.later(
        held ? "hold-uncertain" : "finish-delivery",
        delivery.tenantId(),
        delivery.pk(),
        node,
        delivery.epoch());
  }

  /** A first attempt has no doubts but its own. */
  private boolean mayHaveDoubts() {
    return !attempt.held() && delivery.attempts() > 0;
  }

  private boolean doubted(Statements statements) throws SQLException {
    try (ResultSet rows =
        statements.query("has-doubts", delivery.tenantId(), delivery.messagePk(), delivery.pk())) {
      rows.next();
      return rows.getBoolean(1);
    }
  }

  /** The message has no other recipients than these, and all of them were accepted. */
  private boolean reachedAll() {
    return delivery.recipients().size() == delivery.loaded().recipients().size()
        && attempt.verdicts().stream().allMatch(v -> v.fate() == Verdict.Fate.SENT);
  }

  private void settle(Statements statements, Verdict verdict, long now) throws SQLException {
    Answer answer = verdict.answer();
    String state =
        switch (verdict.fate()) {
          case SENT -> "sent";
          case FAILED -> "failed";
          case DEFERRED -> "pending";
          case HELD -> "uncertain";
          case EXPIRED -> "expired";
          case CANCELLED -> "cancelled";
        };
    statements.later(
        "settle-recipient",
        state,
        answer.code() == 0 ? null : answer.code(),
        answer.enhanced(),
        verdict.reason(),
        now,
        delivery.tenantId(),
        delivery.messagePk(),
        answer.recipient().position());
  }

  private void event(
      Statements statements, String type, long now, @Nullable String text, @Nullable Long next)
      throws SQLException {
    Map<String, Object> data = new LinkedHashMap<>();
    data.put("account_id", attempt.accountId());
    data.put("attempt", delivery.attempts() + 1);
    if (next != null) {
      data.put("next_attempt_at", next);
    }
    data.put("recipients", attempt.verdicts().stream().map(RecordAttempt::told).toList());
    long key = ids.next();
    firstEvent = firstEvent == 0 ? key : firstEvent;
    statements.later(
        "insert-event",
        key,
        delivery.messagePk(),
        delivery.tenantId(),
        type,
        now,
        text,
        Json.text(data));
  }

  private static Map<String, Object> told(Verdict verdict) {
    Answer answer = verdict.answer();
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("address", answer.recipient().address());
    told.put("fate", verdict.fate().name().toLowerCase(Locale.ROOT));
    told.put("kind", answer.getKindName());
    if (answer.code() != 0) {
      told.put("code", answer.code());
    }
    if (answer.enhanced() != null) {
      told.put("enhanced", answer.enhanced());
    }
    told.put("reply", answer.text());
    told.put("phase", answer.phase().name().toLowerCase(Locale.ROOT));
    return told;
  }

  private static boolean uncertain(Verdict verdict) {
    return verdict.answer().kind() == Answer.Kind.UNCERTAIN;
  }

  private String reasons(java.util.function.Predicate<Verdict> which) {
    return attempt.verdicts().stream()
        .filter(which)
        .map(v -> v.answer().recipient().address() + ": " + v.reason())
        .collect(Collectors.joining("; "));
  }

  private String words(java.util.function.Predicate<Verdict> which) {
    return attempt.verdicts().stream()
        .filter(which)
        .map(Verdict::reason)
        .distinct()
        .collect(Collectors.joining("; "));
  }

  private long shortestDelay() {
    long shortest = Long.MAX_VALUE;
    for (Verdict verdict : attempt.verdicts()) {
      if (verdict.delayMillis() != null) {
        shortest = Math.min(shortest, verdict.delayMillis());
      }
    }
    return shortest;
  }
}
