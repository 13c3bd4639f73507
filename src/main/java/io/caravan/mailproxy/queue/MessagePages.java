package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.Request;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.queue.Cursors.Place;
import java.util.List;
import java.util.Map;

/** {@code GET /messages}: filters and pages (DECISIONS, messages). */
public final class MessagePages {
  private static final int MAX_LIMIT = 1_000;

  /** Messages of a list that asks for no page. */
  private static final int UNLIMITED = 10_000;

  /**
   * With so few messages in the queue, the queue is looked through instead of the tenant's mail.
   */
  private static final int SHORT_QUEUE = 5_000;

  private final Lanes lanes;
  private final Outbox outbox;
  private final Cursors cursors;

  public MessagePages(Database database, Lanes lanes, Outbox outbox) {
    this.lanes = lanes;
    this.outbox = outbox;
    this.cursors = new Cursors(database);
  }

  /**
   * The walk that finds a page.
   *
   * @throws io.caravan.mailproxy.http.Problem 400 or 422 a parameter cannot be
   */
  public MessageWalk list(Request request) {
    MessageFilter filter = MessageFilter.of(request);
    String cursor = request.parameter("cursor").orElse("");
    Place place = cursor.isEmpty() ? Place.START : cursors.read(cursor, filter);
    String limit = request.parameter("limit").orElse("");
    return limit.isEmpty()
        ? walk(filter, place, UNLIMITED, false)
        : walk(filter, place, limit(limit), true);
  }

  private static int limit(String text) {
    if (!text.matches("\\d{1,4}") || text.equals("0") || Integer.parseInt(text) > MAX_LIMIT) {
      throw MessageFilter.wrong("limit", "Input should be between 1 and " + MAX_LIMIT);
    }
    return Integer.parseInt(text);
  }

  /** A walk by the index that fits. */
  MessageWalk walk(MessageFilter filter, Place place, int limit, boolean bounded) {
    List<String> stopped =
        filter.isOfWaiting()
            ? lanes.standing().stream().map(MessagePages::name).toList()
            : List.of();
    return new MessageWalk(filter, statement(filter), stopped, place, limit, bounded);
  }

  private static String name(LaneKey lane) {
    return lane.accountPk() + " " + lane.rulePk();
  }

  private String statement(MessageFilter filter) {
    if (filter.ids() != null) {
      return "walk-ids";
    }
    if (filter.batch() != null) {
      return "walk-batch";
    }
    if (filter.status().equals("error")) {
      return "walk-failed";
    }
    return filter.isOfWaiting() && outbox.pending() < SHORT_QUEUE
        ? "walk-waiting"
        : "walk-messages";
  }

  /** A piece of a walk was looked at. */
  public void looked(List<Map<String, Object>> rows, MessageWalk walk) {
    walk.looked(rows);
  }

  /** A piece of a walk was filtered. */
  public void kept(List<Map<String, Object>> rows, MessageWalk walk) {
    walk.keepOnly(rows);
  }

  /** Parameters for {@code list-messages.sql}. */
  public Map<String, Object> rows(MessageWalk walk, Request request) {
    return Map.of(
        "tenant",
        walk.filter().tenant(),
        "keys",
        Json.text(walk.keys()),
        "history",
        request.flag("include_history") ? 1 : 0);
  }

  /** The answer, with where the next page begins. */
  public Map<String, Object> page(Map<String, Object> answer, MessageWalk walk) {
    Place next = walk.next();
    if (next != null) {
      answer.put("next_cursor", cursors.text(walk.filter(), next));
    }
    return answer;
  }
}
