package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.admin.Standstill;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.message.LaneKey;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/** When the earliest delivery that waits in the store and may go is due, as asked last. */
public final class Backlog {
  private static final double MILLIS = 1e3;

  private final InstantSource clock;
  private final Standstill lanes;
  private volatile long dueAt = Long.MAX_VALUE;

  /**
   * @param clock the database's clock
   * @param lanes what stands still is due when it goes on
   */
  public Backlog(InstantSource clock, Standstill lanes) {
    this.clock = clock;
    this.lanes = lanes;
  }

  /** Takes the answer of {@code earliest-due.sql}. */
  public void seen(List<Map<String, Object>> rows) {
    long earliest = Long.MAX_VALUE;
    for (Row row : Row.all(rows)) {
      LaneKey lane = new LaneKey(row.number("account_pk"), row.number("rule_pk"));
      earliest = Math.min(earliest, Math.max(row.number("due_at"), lanes.stoppedUntil(lane)));
    }
    dueAt = earliest;
  }

  /** Seconds that it is late, 0 when nothing is. */
  public double delaySeconds() {
    return Math.max(0, clock.millis() - Math.min(dueAt, clock.millis())) / MILLIS;
  }
}
