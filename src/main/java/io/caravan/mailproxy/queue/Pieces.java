package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.queue.Cursors.Place;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Work on all messages that a filter lets through, piece by piece. For Simple in routes. */
public class Pieces {
  /** Messages of one transaction: it holds up whoever else writes. */
  private static final int PIECE = 200;

  private final MessagePages pages;
  private final MessageFilter filter;
  private final String counted;
  private MessageWalk walk;
  private @Nullable Place next = Place.START;
  private int count;

  /**
   * @param counted what the number of messages is called in the answer
   */
  Pieces(MessagePages pages, MessageFilter filter, String counted) {
    this.pages = pages;
    this.filter = filter;
    this.counted = counted;
    this.walk = pages.walk(filter, Place.START, PIECE, false);
  }

  /** Whether there is another piece. */
  public final boolean isMore() {
    return next != null;
  }

  /** Begins the next piece: the walk that finds it. */
  public final MessageWalk nextWalk() {
    if (next != null) {
      walk = pages.walk(filter, next, PIECE, false);
    }
    return walk;
  }

  final String tenantId() {
    return filter.tenant();
  }

  final List<Long> keys() {
    return walk.keys();
  }

  /** The piece is done. */
  final void done(int messages) {
    count += messages;
    next = walk.next();
  }

  /** What clients are told. */
  public final Map<String, Object> getAnswer() {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.put(counted, count);
    return answer;
  }
}
