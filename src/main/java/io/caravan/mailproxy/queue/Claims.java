package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.intake.MessageReader;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.Priority;
import io.caravan.mailproxy.message.Recipient;
import io.caravan.mailproxy.message.TraceParent;
import java.io.UncheckedIOException;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Exchange;

/** The steps of {@code claim-due}: which lane may claim, and what a claim brought. */
public final class Claims {
  /** Exchange property with what goes to the ram queue. */
  public static final String FIRSTS = "firsts";

  /** Exchange property with what goes to the disk queue. */
  public static final String RETRIES = "retries";

  /** A message of so many bytes, or fewer, comes along with its claim. */
  private static final int INLINE_BYTES = 16_384;

  private final Lanes lanes;
  private final Outbox outbox;
  private final long atMostMillis;
  private volatile long lastRound = System.nanoTime();

  /**
   * Claims for one node.
   *
   * @param atMostMillis milliseconds a round waits when there is nothing to claim
   */
  public Claims(Lanes lanes, Outbox outbox, long atMostMillis) {
    this.lanes = lanes;
    this.outbox = outbox;
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
        "tenant", lanes.tenant(order.lane()).orElseGet(() -> tenantOfRows(order.lane())),
        "node", outbox.node(),
        "account", order.lane().accountPk(),
        "rule", order.lane().rulePk(),
        "room", order.room(),
        "inline", INLINE_BYTES);
  }

  /** Whose the rows of a lane are whose account is gone; empty: it has none. */
  private String tenantOfRows(LaneKey lane) {
    return outbox.commit(
        (statements, now) -> {
          try (ResultSet row = statements.query("lane-tenant", lane.accountPk())) {
            return row.next() ? row.getString(1) : "";
          }
        });
  }

  /**
   * The claimed rows as deliveries, in the order in which they shall start: first attempts in
   * property {@value #FIRSTS}, retries in {@value #RETRIES}.
   *
   * @return whether the lane has nothing due any more
   */
  public boolean deliveries(Exchange exchange, List<Map<String, Object>> rows, LaneRoom order) {
    record Due(Delivery delivery, long at) {}
    List<Due> due = new ArrayList<>(rows.size());
    for (Row row : Row.all(rows)) {
      due.add(new Due(delivery(row, order), row.number("due_at")));
    }
    due.sort(
        Comparator.<Due>comparingInt(d -> d.delivery().priority().level())
            .thenComparingLong(Due::at)
            .thenComparingLong(d -> d.delivery().pk()));
    List<Delivery> deliveries = due.stream().map(Due::delivery).toList();
    lanes.claimed(order, deliveries);
    exchange.setProperty(FIRSTS, deliveries.stream().filter(d -> d.attempts() == 0).toList());
    exchange.setProperty(RETRIES, deliveries.stream().filter(d -> d.attempts() > 0).toList());
    return rows.size() < order.room();
  }

  private static Delivery delivery(Row row, LaneRoom order) {
    Delivery delivery =
        new Delivery(
            row.text("tenant_id"),
            row.number("pk"),
            row.number("message_pk"),
            order.lane(),
            row.number("lease_epoch"),
            Priority.of(row.number("priority")),
            (int) row.number("attempts"),
            row.number("accepted_at"),
            row.number("bytes"),
            null,
            List.of(),
            null);
    String payload = row.textOrNull("payload");
    String pending = row.textOrNull("pending");
    if (payload == null || pending == null) {
      return delivery;
    }
    try {
      Message message = MessageReader.read(payload);
      return delivery.with(
          message, recipients(message, pending), TraceParent.parse(row.textOrNull("trace_parent")));
    } catch (IllegalArgumentException | UncheckedIOException e) {
      return delivery; // fails alone, when its attempt reads it
    }
  }

  private static List<Recipient> recipients(Message message, String pending) {
    List<Recipient> all = message.recipients();
    if (all.size() == 1) {
      return all;
    }
    Set<String> positions = Set.of(pending.split(","));
    return all.stream()
        .filter(recipient -> positions.contains(Integer.toString(recipient.position())))
        .toList();
  }

  /** Takes the answer of {@code earliest-due.sql}: what other nodes left in the table. */
  public void found(List<Map<String, Object>> rows) {
    for (Row row : Row.all(rows)) {
      lanes.waitingAny(
          new LaneKey(row.number("account_pk"), row.number("rule_pk")), row.number("due_at"));
    }
  }

  /** Takes the answer of {@code next-due.sql}: when this lane, now empty, has work again. */
  public void drained(List<Map<String, Object>> rows, LaneRoom order) {
    Long due = rows.isEmpty() ? null : new Row(rows.get(0)).numberOrNull("due_at");
    lanes.drained(order, due == null ? Long.MAX_VALUE : due);
  }
}
