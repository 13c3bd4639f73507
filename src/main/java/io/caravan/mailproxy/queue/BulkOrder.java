package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.queue.Cursors.Place;
import io.caravan.mailproxy.queue.MessageOrder.Kind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One order on all that a filter lets through, piece by piece. For Simple in routes. */
public final class BulkOrder {
  /** Messages of one transaction: it holds up whoever else writes. */
  private static final int PIECE = 200;

  private final MessagePages pages;
  private final MessageFilter filter;
  private final Kind kind;
  private final boolean dry;
  private MessageWalk walk;
  private @Nullable Place next = Place.START;
  private int count;

  /**
   * @param dry only count
   */
  BulkOrder(MessagePages pages, MessageFilter filter, Kind kind, boolean dry) {
    this.pages = pages;
    this.filter = filter;
    this.kind = kind;
    this.dry = dry;
    this.walk = pages.walk(filter, Place.START, PIECE, false);
  }

  /** Whether there is another piece. */
  public boolean isMore() {
    return next != null;
  }

  /** Begins the next piece: the walk that finds it. */
  public MessageWalk nextWalk() {
    if (next != null) {
      walk = pages.walk(filter, next, PIECE, false);
    }
    return walk;
  }

  Kind kind() {
    return kind;
  }

  boolean isDry() {
    return dry;
  }

  List<Long> keys() {
    return walk.keys();
  }

  /** The piece is done. */
  void done(int obeyed) {
    count += obeyed;
    next = walk.next();
  }

  /** What clients are told. */
  public Map<String, Object> getAnswer() {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.put("count", count);
    return answer;
  }
}
