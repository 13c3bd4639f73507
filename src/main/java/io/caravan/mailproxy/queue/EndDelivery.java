package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.message.Settled;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Ends one delivery that waits, for all recipients that it has left. */
final class EndDelivery {
  private final long pk;
  private final String recipients;
  private final String text;
  private final @Nullable String event;

  /**
   * @param recipients the state that they get
   * @param text what is said of each
   * @param event type of a further event beside the final one; {@code null}: none
   */
  private EndDelivery(long pk, String recipients, String text, @Nullable String event) {
    this.pk = pk;
    this.recipients = recipients;
    this.text = text;
    this.event = event;
  }

  /** Its time is over. */
  static EndDelivery expired(long pk) {
    return new EndDelivery(pk, "expired", "expired", "expired");
  }

  /** It ended one process after another. */
  static EndDelivery poison(long pk) {
    return new EndDelivery(pk, "failed", "poison", null);
  }

  /**
   * Somebody does not want it any more.
   *
   * @param told whether an event has told so already, for another delivery of its message
   */
  static EndDelivery cancelled(long pk, boolean told) {
    return new EndDelivery(pk, "cancelled", "cancelled", told ? null : "cancelled");
  }

  /** Somebody said what became of it. */
  static EndDelivery resolved(long pk, boolean sent) {
    String state = sent ? "sent" : "failed";
    return new EndDelivery(pk, state, "resolved as " + state, null);
  }

  /**
   * Does it, unless the delivery is gone or leased meanwhile.
   *
   * @return the message, if that was its last delivery
   */
  @Nullable Ended run(Statements statements, Ids ids, long now) throws SQLException {
    long messagePk;
    String tenantId;
    String id;
    String accountId;
    try (ResultSet row = statements.query("delivery-message", pk)) {
      if (!row.next()) {
        return null;
      }
      messagePk = row.getLong("message_pk");
      tenantId = row.getString("tenant_id");
      id = row.getString("id");
      accountId = row.getString("account_id");
    }
    statements.update("end-delivery", pk);
    statements.update("settle-rest", recipients, text, text, now, messagePk, pk);
    if (event != null) {
      event(statements, ids, now, messagePk, tenantId, event, text);
    }
    MessageEnd end = MessageEnd.of(statements, messagePk);
    if (end.fate() == Settled.Fate.PENDING) {
      return null;
    }
    event(statements, ids, now, messagePk, tenantId, end.event(), end.text());
    return new Ended(tenantId, id, accountId, end.fate(), end.words());
  }

  private static void event(
      Statements statements,
      Ids ids,
      long now,
      long messagePk,
      String tenantId,
      String type,
      @Nullable String text)
      throws SQLException {
    statements.update(
        "insert-event", ids.next(), messagePk, tenantId, type, now, text, Json.text(Map.of()));
  }
}
