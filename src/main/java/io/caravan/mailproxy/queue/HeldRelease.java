package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.message.LaneKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Walks once, in pieces, over what is held for its batch whenever a suspension has ended, and at
 * the start: what no suspension holds any more is due again.
 */
public final class HeldRelease {
  private static final long NEVER = -1;

  private final Suspensions suspensions;
  private final Lanes lanes;
  private final Map<LaneKey, Long> freed = new HashMap<>();
  private long served = NEVER;
  private long after;
  private long next;
  private boolean walking;

  public HeldRelease(Suspensions suspensions, Lanes lanes) {
    this.suspensions = suspensions;
    this.lanes = lanes;
  }

  /** Whether there is a piece to look at. */
  public synchronized boolean isWanted() {
    if (!walking && served != suspensions.ended()) {
      served = suspensions.ended();
      after = 0;
      walking = true;
    }
    return walking;
  }

  /** Parameters for {@code held-window.sql}. */
  public synchronized Map<String, Object> window() {
    return Map.of("after", after, "piece", Suspensions.PIECE);
  }

  /** Of the rows of a piece, the parameters for {@code free-held.sql}. */
  public synchronized Map<String, Object> free(List<Map<String, Object>> rows) {
    List<Long> keys = new ArrayList<>();
    freed.clear();
    for (Row row : Row.all(rows)) {
      LaneKey lane = new LaneKey(row.number("account_pk"), row.number("rule_pk"));
      if (!suspensions.holdsBatch(lane, row.textOrNull("batch_code"))) {
        keys.add(row.number("pk"));
        freed.merge(lane, row.number("due_at"), Math::min);
      }
    }
    next =
        rows.size() < Suspensions.PIECE ? NEVER : new Row(rows.get(rows.size() - 1)).number("pk");
    return Map.of("keys", Json.text(keys));
  }

  /** The piece stands in the store: its lanes have work, the next piece follows. */
  public synchronized void done() {
    freed.forEach(lanes::waitingAny);
    walking = next != NEVER;
    after = next;
  }
}
