package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.AttemptResult;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Settled;
import io.caravan.mailproxy.message.Verdict;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Writes one judged attempt: delivery, recipients, event. */
final class RecordAttempt implements GroupCommit.Work<Settled> {
  private final AttemptResult attempt;
  private final Delivery delivery;
  private final Ids ids;
  private final long node;

  RecordAttempt(AttemptResult attempt, Ids ids, long node) {
    this.attempt = attempt;
    this.delivery = attempt.delivery();
    this.ids = ids;
    this.node = node;
  }

  @Override
  public Settled run(GroupCommit.Statements statements, long now) throws SQLException {
    Long next = attempt.deferred() ? now + shortestDelay() : null;
    int held =
        next == null
            ? statements.update("finish-delivery", delivery.pk(), node, delivery.epoch())
            : statements.update("defer-delivery", next, delivery.pk(), node, delivery.epoch());
    if (held == 0) {
      event(statements, "late", now, null, null);
      return new Settled(Settled.Result.LATE, Settled.Fate.PENDING, null, now, null);
    }
    for (Verdict verdict : attempt.verdicts()) {
      settle(statements, verdict, now);
    }
    if (attempt.verdicts().stream().anyMatch(RecordAttempt::uncertain)) {
      event(statements, "uncertain", now, reasons(RecordAttempt::uncertain), null);
    }
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
    return finish(statements, now);
  }

  /** Ends the message, if this was the last of its deliveries. */
  private Settled finish(GroupCommit.Statements statements, long now) throws SQLException {
    if (reachedAll()) {
      event(statements, "sent", now, null, null);
      return new Settled(attempt.result(), Settled.Fate.SENT, null, now, null);
    }
    try (ResultSet rows =
        statements.query("has-deliveries", delivery.messagePk(), delivery.messagePk())) {
      rows.next();
      if (rows.getBoolean(1)) {
        return new Settled(attempt.result(), Settled.Fate.PENDING, null, now, null);
      }
    }
    List<String> failed = new ArrayList<>();
    Set<String> replies = new LinkedHashSet<>();
    try (ResultSet rows = statements.query("failed-recipients", delivery.messagePk())) {
      while (rows.next()) {
        failed.add(rows.getString("address") + ": " + rows.getString("reply"));
        replies.add(rows.getString("reply"));
      }
    }
    if (failed.isEmpty()) {
      event(statements, "sent", now, null, null);
      return new Settled(attempt.result(), Settled.Fate.SENT, null, now, null);
    }
    String text =
        replies.equals(Set.of(Answer.RATE_LIMITED))
            ? Answer.RATE_LIMITED
            : String.join("; ", failed);
    event(statements, "error", now, text, null);
    return new Settled(attempt.result(), Settled.Fate.ERROR, String.join("; ", replies), now, null);
  }

  /** The message has no other recipients than these, and all of them were accepted. */
  private boolean reachedAll() {
    return delivery.recipients().size() == delivery.loaded().recipients().size()
        && attempt.verdicts().stream().allMatch(v -> v.fate() == Verdict.Fate.SENT);
  }

  private void settle(GroupCommit.Statements statements, Verdict verdict, long now)
      throws SQLException {
    Answer answer = verdict.answer();
    String state =
        switch (verdict.fate()) {
          case SENT -> "sent";
          case FAILED -> "failed";
          case DEFERRED -> "pending";
        };
    statements.update(
        "settle-recipient",
        state,
        answer.code() == 0 ? null : answer.code(),
        answer.enhanced(),
        verdict.reason(),
        now,
        delivery.messagePk(),
        answer.recipient().position());
  }

  private void event(
      GroupCommit.Statements statements,
      String type,
      long now,
      @Nullable String text,
      @Nullable Long next)
      throws SQLException {
    Map<String, Object> data = new LinkedHashMap<>();
    data.put("account_id", attempt.accountId());
    data.put("attempt", delivery.attempts() + 1);
    if (next != null) {
      data.put("next_attempt_at", next);
    }
    data.put("recipients", attempt.verdicts().stream().map(RecordAttempt::told).toList());
    statements.update(
        "insert-event",
        ids.next(),
        delivery.messagePk(),
        delivery.loaded().tenantId(),
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
