package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Priority;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** The steps of {@code claim-due}: which lane may claim, and what a claim brought. */
public final class Claims {
  private final Lanes lanes;
  private final long node;
  private final long atMostMillis;
  private volatile long lastRound = System.nanoTime();

  /**
   * Claims for one node.
   *
   * @param atMostMillis milliseconds a round waits when there is nothing to claim
   */
  public Claims(Lanes lanes, Outbox outbox, long atMostMillis) {
    this.lanes = lanes;
    this.node = outbox.node();
    this.atMostMillis = atMostMillis;
  }

  /** Waits for lanes that have due rows and room. */
  public List<LaneRoom> awaitRoom() throws InterruptedException {
    lastRound = System.nanoTime();
    return lanes.awaitRoom(atMostMillis);
  }

  /** Seconds since the last round began; a loop that runs begins one every second. */
  public double secondsSinceRound() {
    return (System.nanoTime() - lastRound) / 1e9;
  }

  /** Parameters for {@code claim-due.sql} and {@code next-due.sql}. */
  public Map<String, Object> parameters(LaneRoom order) {
    return Map.of(
        "node",
        node,
        "account",
        order.lane().accountPk(),
        "rule",
        order.lane().rulePk(),
        "room",
        order.room());
  }

  /** The claimed rows as deliveries, in the order in which they shall start. */
  public List<Delivery> deliveries(List<Map<String, Object>> rows, LaneRoom order) {
    record Due(Delivery delivery, long at) {}
    List<Due> due = new ArrayList<>(rows.size());
    for (Row row : Row.all(rows)) {
      due.add(
          new Due(
              new Delivery(
                  row.number("pk"),
                  row.number("message_pk"),
                  order.lane(),
                  row.number("lease_epoch"),
                  Priority.of(row.number("priority")),
                  (int) row.number("attempts"),
                  row.number("accepted_at"),
                  row.number("bytes"),
                  null,
                  List.of()),
              row.number("due_at")));
    }
    due.sort(
        Comparator.<Due>comparingInt(d -> d.delivery().priority().level())
            .thenComparingLong(Due::at)
            .thenComparingLong(d -> d.delivery().pk()));
    List<Delivery> deliveries = due.stream().map(Due::delivery).toList();
    lanes.claimed(order, deliveries);
    return deliveries;
  }

  /** Takes the answer of {@code next-due.sql}: when this lane, now empty, has work again. */
  public void drained(List<Map<String, Object>> rows, LaneRoom order) {
    Long due = rows.isEmpty() ? null : new Row(rows.get(0)).numberOrNull("due_at");
    lanes.drained(order, due == null ? Long.MAX_VALUE : due);
  }
}
