package io.caravan.mailproxy.queue;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.JsonFields;
import io.caravan.mailproxy.http.Request;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Takes messages out of the store, whatever their state. An attempt under way may still send one;
 * its late result changes nothing.
 */
public final class Removal {
  private static final long WEEK_SECONDS = 7 * 86_400;
  private static final long MAX_SECONDS = 1_000_000_000_000L;

  private final Outbox outbox;
  private final MessagePages pages;
  private final InstantSource clock;
  private final Recall recall;

  /**
   * @param clock the database's clock
   */
  public Removal(Outbox outbox, Lanes lanes, MessagePages pages, InstantSource clock) {
    this.outbox = outbox;
    this.pages = pages;
    this.clock = clock;
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
   * Takes {@code {"older_than_seconds": 604800}} or nothing (genro-api 1.5): what is finished and
   * was reported, the last time so long ago; negative means 0.
   *
   * @throws io.caravan.mailproxy.http.Problem 400 or 422 it says nothing of use
   */
  public Pieces cleanup(@Nullable JsonNode body, Request request) {
    Long seconds =
        body == null
            ? null
            : new JsonFields(body).number("older_than_seconds", -MAX_SECONDS, MAX_SECONDS, null);
    long age = Math.max(0, seconds == null ? WEEK_SECONDS : seconds);
    long before = clock.millis() - age * 1000;
    return over(request.tenant(), Long.MAX_VALUE, new MessageFilter.Over(before, true));
  }

  /** What is over, but for what was accepted later than {@code until}, Unix milliseconds. */
  private Pieces over(String tenantId, long until, MessageFilter.Over over) {
    return new Pieces(pages, MessageFilter.over(tenantId, until, over), "removed");
  }

  /**
   * What a tenant has that is older than is to be kept.
   *
   * @param tenant a row of {@code kept-tenants.sql}
   */
  public Pieces old(Map<String, Object> tenant) {
    Row row = new Row(tenant);
    boolean listened = row.number("listened") == 1;
    return over(
        row.text("tenant_id"),
        row.number("until"),
        new MessageFilter.Over(row.number("before"), listened));
  }

  /** All that the tenant has that the path names. */
  public Pieces everything(Request request) {
    return new Pieces(pages, MessageFilter.all(request.segment(1), false), "removed");
  }

  /**
   * Removes a piece of those that were asked for by their ids.
   *
   * @param rows each with the key of a message
   */
  public void remove(List<Map<String, Object>> rows, Deletion deletion) {
    deletion.removed(
        rows,
        removed(deletion.tenantId(), Row.all(rows).stream().map(row -> row.number("pk")).toList()));
  }

  /** Removes a piece of those that were found by a walk. */
  public void removeFound(Pieces pieces) {
    pieces.done(removed(pieces.tenantId(), pieces.keys()));
  }

  /** In one transaction. */
  private int removed(String tenantId, List<Long> keys) {
    Removed removed =
        recall.commit(new HashSet<>(keys), (statements, now) -> remove(statements, tenantId, keys));
    outbox.ended(removed.waiting());
    return removed.messages();
  }

  private static Removed remove(Statements statements, String tenantId, List<Long> keys)
      throws SQLException {
    String json = Json.text(keys);
    int waiting;
    try (ResultSet rows = statements.query("count-waiting", json, tenantId)) {
      rows.next();
      waiting = rows.getInt(1);
    }
    statements.update("remove-deliveries", json, tenantId);
    statements.update("remove-recipients", json, tenantId);
    statements.update("remove-events", json, tenantId);
    return new Removed(statements.update("remove-messages", json, tenantId), waiting);
  }
}
