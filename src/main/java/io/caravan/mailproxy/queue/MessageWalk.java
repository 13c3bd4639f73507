package io.caravan.mailproxy.queue;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.message.Priority;
import io.caravan.mailproxy.queue.Cursors.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A walk over messages in the order of lists, priority by priority, in pieces: each is looked at,
 * and what the filter lets through is kept until there is enough of it. Its getters are for Simple
 * in routes.
 */
public final class MessageWalk {
  /** Messages that one piece looks at, at most. */
  private static final int MAX_PIECE = 5_000;

  /** Messages that a bounded walk looks at: what is rare comes in pages that are not full. */
  private static final int MAX_LOOKED = 10_000;

  /** Keys tell the time of acceptance as exactly as the clocks agree. */
  private static final long SLACK_MILLIS = TimeUnit.HOURS.toMillis(1);

  private final MessageFilter filter;
  private final String statement;
  private final String stopped;
  private final int most;
  private final boolean bounded;
  private final List<Place> found = new ArrayList<>();
  private Place place;
  private String keys = "[]";
  private @Nullable Long last;
  private int piece;
  private int looked;
  private int lookedNow;

  /**
   * @param statement which walks: {@code walk-messages} or one like it
   * @param stopped lanes that stand still, as {@code filter-keys.sql} has them
   * @param place where it starts
   * @param limit messages that are enough; one more is looked for, to know whether there is more
   * @param bounded whether it ends for now after a number of messages, however few were found
   */
  MessageWalk(
      MessageFilter filter,
      String statement,
      List<String> stopped,
      Place place,
      int limit,
      boolean bounded) {
    this.filter = filter;
    this.statement = statement;
    this.stopped = Json.text(stopped);
    this.place = place;
    this.most = limit + 1;
    this.bounded = bounded;
    this.piece = Math.min(most, MAX_PIECE);
  }

  /** Whether there is not enough yet, and more to look at. */
  public boolean isMore() {
    return !isOver() && found.size() < most && !(bounded && looked >= MAX_LOOKED);
  }

  private boolean isOver() {
    return place.level() >= Priority.values().length;
  }

  /** The statement that walks. */
  public String getStatement() {
    return statement;
  }

  /** Parameters for it, and for {@code filter-keys.sql} after it. */
  public Map<String, @Nullable Object> getValues() {
    Map<String, @Nullable Object> values = filter.values();
    values.put("priority", place.level());
    values.put("after", Math.max(place.after(), Ids.floor(filter.since() - SLACK_MILLIS) - 1));
    values.put("upto", upto());
    values.put("look", piece);
    values.put("keys", keys);
    values.put("stopped", stopped);
    return values;
  }

  private long upto() {
    return filter.until() >= Long.MAX_VALUE - SLACK_MILLIS
        ? Long.MAX_VALUE
        : Ids.floor(filter.until() + SLACK_MILLIS);
  }

  /** Whether a piece has to be filtered. */
  public boolean isFiltered() {
    return lookedNow > 0 && !filter.isOpen();
  }

  /** A piece was looked at; it is what is kept, unless it is filtered. */
  void looked(List<Map<String, Object>> rows) {
    Row row = new Row(rows.get(0));
    lookedNow = (int) row.number("looked");
    last = row.numberOrNull("last");
    keys = row.text("keys");
    looked += lookedNow;
    if (!isFiltered()) {
      keep();
    }
  }

  /** It was filtered. */
  void keepOnly(List<Map<String, Object>> rows) {
    keys = new Row(rows.get(0)).text("keys");
    keep();
  }

  private void keep() {
    Json.tree(keys)
        .valueStream()
        .mapToLong(JsonNode::longValue)
        .sorted()
        .limit(most - found.size())
        .forEach(key -> found.add(new Place(place.level(), key)));
    Long end = last;
    place =
        end == null || lookedNow < piece
            ? new Place(place.level() + 1, 0)
            : new Place(place.level(), end);
    piece = Math.min(MAX_PIECE, piece * 2);
  }

  /** The keys that were found. */
  List<Long> keys() {
    return found.stream().limit(most - 1).map(Place::after).toList();
  }

  /**
   * Where the next walk goes on.
   *
   * @return {@code null}: there is nothing more
   */
  @Nullable Place next() {
    if (found.size() == most) {
      return found.get(most - 2);
    }
    return isOver() ? null : place;
  }

  MessageFilter filter() {
    return filter;
  }
}
