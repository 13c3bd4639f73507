package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.db.Row;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/** When the earliest delivery that waits in the store is due, as asked last. */
public final class Backlog {
  private static final double MILLIS = 1e3;

  private final InstantSource clock;
  private volatile long dueAt = Long.MAX_VALUE;

  /**
   * @param clock the database's clock
   */
  public Backlog(InstantSource clock) {
    this.clock = clock;
  }

  /** Takes the answer of {@code earliest-due.sql}. */
  public void seen(List<Map<String, Object>> rows) {
    Long due = new Row(rows.get(0)).numberOrNull("due_at");
    dueAt = due == null ? Long.MAX_VALUE : due;
  }

  /** Seconds that it is late, 0 when nothing is. */
  public double delaySeconds() {
    return Math.max(0, clock.millis() - Math.min(dueAt, clock.millis())) / MILLIS;
  }
}
