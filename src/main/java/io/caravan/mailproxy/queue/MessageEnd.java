package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Settled;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whether a message is at its end, after one of its deliveries went, and which.
 *
 * @param text for the event: who did not get it, and why; {@code null}: nobody
 * @param words why, without the addresses; {@code null}: nothing
 */
record MessageEnd(Settled.Fate fate, @Nullable String text, @Nullable String words) {
  private static final MessageEnd PENDING = new MessageEnd(Settled.Fate.PENDING, null, null);
  private static final MessageEnd SENT = new MessageEnd(Settled.Fate.SENT, null, null);

  /** Looks, and notes at the message that it failed, where it did. */
  static MessageEnd of(Statements statements, String tenantId, long messagePk) throws SQLException {
    statements.query("lock-message", tenantId, messagePk).close();
    try (ResultSet rows = statements.query("has-deliveries", tenantId, messagePk, messagePk)) {
      rows.next();
      if (rows.getBoolean(1)) {
        return PENDING;
      }
    }
    List<String> failed = new ArrayList<>();
    Set<String> replies = new LinkedHashSet<>();
    try (ResultSet rows = statements.query("failed-recipients", tenantId, messagePk)) {
      while (rows.next()) {
        failed.add(rows.getString("address") + ": " + rows.getString("reply"));
        replies.add(rows.getString("reply"));
      }
    }
    if (failed.isEmpty()) {
      return SENT;
    }
    statements.update("fail-message", tenantId, messagePk);
    String words = String.join("; ", replies);
    boolean limited = words.equals(Answer.RATE_LIMITED);
    return new MessageEnd(Settled.Fate.ERROR, limited ? words : String.join("; ", failed), words);
  }

  /** The type of the event that tells of it. */
  String event() {
    return fate == Settled.Fate.SENT ? "sent" : "error";
  }
}
