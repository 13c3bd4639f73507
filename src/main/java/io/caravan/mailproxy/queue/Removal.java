package io.caravan.mailproxy.queue;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.Request;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/**
 * Takes messages out of the store, whatever their state. An attempt under way may still send one;
 * its late result changes nothing.
 */
public final class Removal {
  private final Outbox outbox;
  private final Recall recall;

  public Removal(Outbox outbox, Lanes lanes) {
    this.outbox = outbox;
    this.recall = new Recall(outbox, lanes);
  }

  /** How many messages went, and how many of them waited. */
  private record Removed(int messages, int waiting) {}

  /**
   * Takes {@code {"ids": [...]}} (genro-api 1.5).
   *
   * @throws io.caravan.mailproxy.http.Problem 400 or 422 it says nothing of use
   */
  public Deletion order(JsonNode body, Request request) {
    return Deletion.of(request.tenant(), body);
  }

  /**
   * Removes a piece, in one transaction.
   *
   * @param rows each with the key of a message
   */
  public void remove(List<Map<String, Object>> rows, Deletion deletion) {
    List<Long> keys = Row.all(rows).stream().map(row -> row.number("pk")).toList();
    Removed removed =
        recall.commit(new HashSet<>(keys), (statements, now) -> remove(statements, keys));
    outbox.ended(removed.waiting());
    deletion.removed(rows, removed.messages());
  }

  private static Removed remove(GroupCommit.Statements statements, List<Long> keys)
      throws SQLException {
    String json = Json.text(keys);
    int waiting;
    try (ResultSet rows = statements.query("count-waiting", json)) {
      rows.next();
      waiting = rows.getInt(1);
    }
    statements.update("remove-deliveries", json);
    statements.update("remove-recipients", json);
    statements.update("remove-events", json);
    return new Removed(statements.update("remove-messages", json), waiting);
  }
}
