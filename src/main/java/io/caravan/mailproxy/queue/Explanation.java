package io.caravan.mailproxy.queue;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.admin.Listings;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.OtherPaths;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.http.Request;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.throttle.RuleBook;
import io.caravan.mailproxy.throttle.Throttle;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code GET /messages/{id}}: why a message waits, and when it goes on (DECISIONS, messages). */
public final class Explanation {
  private static final String LIMIT = "limit:";
  private static final String CIRCUIT = "circuit";
  private static final String LOCKED = "circuit-locked";

  private final Listings listings;
  private final Lanes lanes;
  private final Suspensions suspensions;
  private final InFlight inFlight;
  private final RuleBook rules;
  private final Throttle throttle;
  private final Timeline timeline;

  public Explanation(
      Listings listings,
      Lanes lanes,
      Suspensions suspensions,
      InFlight inFlight,
      RuleBook rules,
      Throttle throttle,
      Timeline timeline) {
    this.timeline = timeline;
    this.throttle = throttle;
    this.listings = listings;
    this.lanes = lanes;
    this.suspensions = suspensions;
    this.inFlight = inFlight;
    this.rules = rules;
  }

  /** One delivery that waits. */
  private record Waiting(
      long pk, LaneKey lane, String state, long dueAt, int attempts, String holdReason) {
    static Waiting of(JsonNode row) {
      return new Waiting(
          row.path("pk").longValue(),
          new LaneKey(row.path("account").longValue(), row.path("rule").longValue()),
          row.path("state").asText(),
          row.path("due").longValue(),
          row.path("attempts").intValue(),
          row.path("hold_reason").asText(""));
    }
  }

  /** Why, in words for people, and until when, Unix milliseconds. */
  private record Why(String state, @Nullable String reason, @Nullable Long until) {}

  /**
   * Parameters for {@code read-detail.sql}.
   *
   * @throws Problem 400 or 422 the tenant is not named
   */
  public Map<String, Object> key(Request request) {
    return Map.of("tenant", request.tenant(), "id", request.segment(1));
  }

  /**
   * The answer; the rows are those of {@code read-detail.sql}.
   *
   * @throws Problem 404 there is none
   */
  public Map<String, Object> detail(List<Map<String, Object>> rows, Request request) {
    Map<String, Object> row = found(rows, request);
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.putAll(listings.detail(row));
    JsonNode history = Json.tree(String.valueOf(row.get("history")));
    JsonNode deliveries = Json.tree(String.valueOf(row.get("deliveries")));
    if (deliveries.isEmpty()) {
      answer.putAll(timeline.ended(history));
    } else {
      answer.put("waiting", waiting(Waiting.of(deliveries.get(0)), row));
      answer.putAll(timeline.waiting(deliveries.get(0)));
    }
    answer.put("reports", timeline.reports(history));
    return answer;
  }

  /**
   * {@code GET /messages/{id}/events}: the events alone, from the same rows.
   *
   * @throws Problem 404 there is no such message
   */
  public Map<String, Object> events(List<Map<String, Object>> rows, Request request) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.put("events", listings.detail(found(rows, request)).get("events"));
    return answer;
  }

  private static Map<String, Object> found(List<Map<String, Object>> rows, Request request) {
    if (rows.isEmpty()) {
      String hint = OtherPaths.hint(request.path());
      throw new Problem(404, hint == null ? "message not found" : hint);
    }
    return rows.get(0);
  }

  /** Of several deliveries, the one that is due first. */
  private Map<String, Object> waiting(Waiting delivery, Map<String, Object> row) {
    Map<String, Long> stops = lanes.stops(delivery.lane());
    Why why = why(delivery, stops, row);
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("state", why.state());
    told.put("rule", rules.nameOf(delivery.lane()));
    throttle
        .usage(delivery.lane())
        .ifPresent(
            usage -> {
              told.put("limit", usage.limit());
              told.put("used", usage.used());
              told.put("window", usage.window().label());
            });
    if (why.until() != null && why.until() != Long.MAX_VALUE) {
      told.put("next_attempt_ts", why.until() / 1000);
    }
    if (why.reason() != null) {
      told.put("reason", why.reason());
    }
    return told;
  }

  private Why why(Waiting delivery, Map<String, Long> stops, Map<String, Object> row) {
    if (delivery.state().equals("held")) {
      return held(delivery, row);
    }
    if (inFlight.has(delivery.pk())) {
      return new Why("sending", null, null);
    }
    Map.Entry<String, Long> last = null;
    for (Map.Entry<String, Long> stop : stops.entrySet()) {
      last = last == null || stop.getValue() > last.getValue() ? stop : last;
    }
    if (last != null && last.getValue() > delivery.dueAt()) {
      return stopped(last.getKey(), last.getValue());
    }
    if (delivery.dueAt() > new Row(row).number("now")) {
      return delivery.attempts() == 0
          ? new Why("deferred", "deferred_ts of the message", delivery.dueAt())
          : new Why("retry", lastDeferral(row), delivery.dueAt());
    }
    return new Why(
        "queued", "waits for its turn: for mail before it, a connection or a slot", null);
  }

  private Why held(Waiting delivery, Map<String, Object> row) {
    if (!delivery.holdReason().equals("suspended")) {
      return new Why("held", delivery.holdReason(), null);
    }
    Suspension by = suspensions.ofBatch(delivery.lane(), new Row(row).textOrNull("batch_code"));
    return by == null ? new Why("queued", "its suspension is over", null) : suspended(by);
  }

  private Why stopped(String cause, long until) {
    Suspension by = suspensions.byCause(cause);
    if (by != null) {
      return suspended(by);
    }
    if (cause.startsWith(LIMIT)) {
      return new Why("limited", "the limit is spent", until);
    }
    if (cause.equals(LOCKED)) {
      return new Why(CIRCUIT, "no loaded key opens the account's password", until);
    }
    return cause.startsWith(CIRCUIT)
        ? new Why("circuit", "the account's relay refuses connections or the log-in", until)
        : new Why("stopped", cause, until);
  }

  private static Why suspended(Suspension by) {
    return new Why("suspended", by.reason() == null ? "suspended" : by.reason(), by.until());
  }

  private static @Nullable String lastDeferral(Map<String, Object> row) {
    String text = null;
    for (JsonNode event : Json.tree(String.valueOf(row.get("history")))) {
      if (event.path("type").asText().equals("deferred")) {
        text = event.path("text").asText();
      }
    }
    return text;
  }
}
