package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.message.Settled;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Ends one delivery that waits, for all recipients that it has left. */
final class EndDelivery {
  private final String tenantId;
  private final long pk;
  private final String recipients;
  private final String text;
  private final @Nullable String event;

  /**
   * @param recipients the state that they get
   * @param text what is said of each
   * @param event type of a further event beside the final one; {@code null}: none
   */
  private EndDelivery(
      String tenantId, long pk, String recipients, String text, @Nullable String event) {
    this.tenantId = tenantId;
    this.pk = pk;
    this.recipients = recipients;
    this.text = text;
    this.event = event;
  }

  /** Its time is over. */
  static EndDelivery expired(String tenantId, long pk) {
    return new EndDelivery(tenantId, pk, "expired", "expired", "expired");
  }

  /** It ended one process after another. */
  static EndDelivery poison(String tenantId, long pk) {
    return new EndDelivery(tenantId, pk, "failed", "poison", null);
  }

  /**
   * Somebody does not want it any more.
   *
   * @param told whether an event has told so already, for another delivery of its message
   */
  static EndDelivery cancelled(String tenantId, long pk, boolean told) {
    return new EndDelivery(tenantId, pk, "cancelled", "cancelled", told ? null : "cancelled");
  }

  /** Somebody said what became of it. */
  static EndDelivery resolved(String tenantId, long pk, boolean sent) {
    String state = sent ? "sent" : "failed";
    return new EndDelivery(tenantId, pk, state, "resolved as " + state, null);
  }

  /**
   * Does it, unless the delivery is gone or leased meanwhile.
   *
   * @return the message, if that was its last delivery
   */
  @Nullable Ended run(Statements statements, Ids ids, long now) throws SQLException {
    long messagePk;
    String id;
    String accountId;
    try (ResultSet row = statements.query("delivery-message", tenantId, pk)) {
      if (!row.next()) {
        return null;
      }
      messagePk = row.getLong("message_pk");
      id = row.getString("id");
      accountId = row.getString("account_id");
    }
    statements.update("end-delivery", tenantId, pk);
    statements.update("settle-rest", recipients, text, text, now, tenantId, messagePk, pk);
    if (event != null) {
      event(statements, ids, now, messagePk, event, text);
    }
    MessageEnd end = MessageEnd.of(statements, tenantId, messagePk);
    if (end.fate() == Settled.Fate.PENDING) {
      return null;
    }
    event(statements, ids, now, messagePk, end.event(), end.text());
    return new Ended(tenantId, id, accountId, end.fate(), end.words());
  }

  private void event(
      Statements statements, Ids ids, long now, long messagePk, String type, @Nullable String text)
      throws SQLException {
    statements.later(
        "insert-event", ids.next(), messagePk, tenantId, type, now, text, Json.text(Map.of()));
  }
}
