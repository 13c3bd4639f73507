package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.LaneKey;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Carries out an order on messages that wait. What is held as uncertain is left alone: somebody has
 * to say what became of it first ({@link Resolve}).
 */
final class MessageOrder implements GroupCommit.Work<MessageOrder.Done> {

  /** What can be ordered. */
  enum Kind {
    /** Due now, also what is deferred or held. */
    RETRY,
    /** Ends without being sent. */
    CANCEL,
    /** Waits until it is released. */
    HOLD,
    /** Not held by hand any more. */
    RELEASE
  }

  /** Why a message does not obey. */
  enum Refusal {
    FINISHED("message is finished"),
    UNDER_WAY("an attempt of the message is under way"),
    UNCERTAIN("message waits for its outcome to be told: resolve it"),
    NOT_HELD("message is not held by hand");

    final String text;

    Refusal(String text) {
      this.text = text;
    }
  }

  /**
   * What came of it.
   *
   * @param obeyed messages that obeyed
   * @param refusal why the last one that did not, did not
   * @param ended messages that came to their end
   * @param due lanes that have work again, and from when on, Unix milliseconds
   */
  record Done(int obeyed, @Nullable Refusal refusal, List<Ended> ended, Map<LaneKey, Long> due) {}

  private final Kind kind;
  private final String tenantId;
  private final List<Long> messages;
  private final boolean dry;
  private final LongPredicate underWay;
  private final Ids ids;

  /**
   * @param tenantId whose they are
   * @param messages their keys
   * @param dry only count those that would obey
   * @param underWay whether a leased delivery cannot be had back
   */
  MessageOrder(
      Kind kind,
      String tenantId,
      List<Long> messages,
      boolean dry,
      LongPredicate underWay,
      Ids ids) {
    this.kind = kind;
    this.tenantId = tenantId;
    this.messages = messages;
    this.dry = dry;
    this.underWay = underWay;
    this.ids = ids;
  }

  private record Waiting(long pk, String state, String reason, LaneKey lane, long dueAt) {
    boolean isUncertain() {
      return reason.equals("uncertain");
    }

    boolean isManual() {
      return reason.equals("manual");
    }
  }

  @Override
  public Done run(Statements statements, long now) throws SQLException {
    int obeyed = 0;
    Refusal refusal = null;
    List<Ended> ended = new ArrayList<>();
    Map<LaneKey, Long> due = new HashMap<>();
    for (long message : messages) {
      List<Waiting> all = deliveries(statements, message);
      List<Waiting> some = all.stream().filter(this::obeys).toList();
      Refusal why = refusal(all, some);
      if (why != null) {
        refusal = why;
        continue;
      }
      obeyed++;
      if (!dry) {
        carryOut(statements, now, some, ended, due);
      }
    }
    return new Done(obeyed, refusal, ended, due);
  }

  private List<Waiting> deliveries(Statements statements, long message) throws SQLException {
    List<Waiting> all = new ArrayList<>();
    try (ResultSet rows = statements.query("message-deliveries", tenantId, message, message)) {
      while (rows.next()) {
        String reason = rows.getString("hold_reason");
        all.add(
            new Waiting(
                rows.getLong("pk"),
                rows.getString("state"),
                reason == null ? "" : reason,
                new LaneKey(rows.getLong("account_pk"), rows.getLong("rule_pk")),
                rows.getLong("due_at")));
      }
    }
    return all;
  }

  private boolean isUnderWay(Waiting one) {
    return one.state().equals("leased") && underWay.test(one.pk());
  }

  private boolean obeys(Waiting one) {
    return !isUnderWay(one) && !one.isUncertain() && (kind != Kind.RELEASE || one.isManual());
  }

  /**
   * Cancel and hold are for the whole message; of retry and release it is enough that one obeys.
   */
  private @Nullable Refusal refusal(List<Waiting> all, List<Waiting> some) {
    if (all.isEmpty()) {
      return Refusal.FINISHED;
    }
    boolean whole = kind == Kind.CANCEL || kind == Kind.HOLD;
    if (whole ? some.size() == all.size() : !some.isEmpty()) {
      return null;
    }
    if (kind == Kind.RELEASE) {
      return Refusal.NOT_HELD;
    }
    return all.stream().anyMatch(this::isUnderWay) ? Refusal.UNDER_WAY : Refusal.UNCERTAIN;
  }

  private void carryOut(
      Statements statements,
      long now,
      List<Waiting> some,
      List<Ended> ended,
      Map<LaneKey, Long> due)
      throws SQLException {
    boolean told = false;
    for (Waiting one : some) {
      switch (kind) {
        case RETRY -> {
          statements.update("retry-delivery", now, tenantId, one.pk());
          due.merge(one.lane(), now, Math::min);
        }
        case HOLD -> statements.update("hold-delivery", tenantId, one.pk());
        case RELEASE -> {
          statements.update("free-delivery", tenantId, one.pk());
          due.merge(one.lane(), one.dueAt(), Math::min);
        }
        case CANCEL -> {
          Ended end = EndDelivery.cancelled(tenantId, one.pk(), told).run(statements, ids, now);
          told = true;
          if (end != null) {
            ended.add(end);
          }
        }
      }
    }
  }
}
