package io.caravan.mailproxy.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.message.LaneKey;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Rows of the store in the form clients know: null is left out, secrets never appear. */
public final class Listings {
  private static final DateTimeFormatter ISO =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss").withZone(ZoneOffset.UTC);

  private @Nullable Standstill stops;

  /** Who knows when a lane that stands still goes on. */
  public void setStops(Standstill stops) {
    this.stops = stops;
  }

  /** {@code GET /accounts} (genro-api 1.6). */
  public Map<String, Object> accounts(List<Map<String, Object>> rows) {
    List<Map<String, Object>> accounts = new ArrayList<>();
    for (Map<String, Object> row : rows) {
      Map<String, Object> account = new LinkedHashMap<>();
      row.forEach(
          (name, value) -> {
            switch (name) {
              case "use_tls", "is_pec_account" -> put(account, name, flag(value));
              case "created_at", "updated_at" -> put(account, name, iso(value));
              default -> put(account, name, value);
            }
          });
      accounts.add(account);
    }
    return answer("accounts", accounts);
  }

  /**
   * {@code DELETE /account/{id}}.
   *
   * @throws Problem 400 there was none
   */
  public void deleted(List<Map<String, Object>> rows) {
    if (rows.isEmpty()) {
      throw new Problem(400, "account not found or not owned by tenant");
    }
  }

  /** {@code GET /messages} (genro-api 1.5). */
  public Map<String, Object> messages(List<Map<String, Object>> rows) {
    List<Map<String, Object>> messages = new ArrayList<>();
    for (Map<String, Object> row : rows) {
      messages.add(message(row));
    }
    return answer("messages", messages);
  }

  /** {@code GET /messages/{id}}: one row in the form of the list, its history as events. */
  public Map<String, Object> detail(Map<String, Object> row) {
    Map<String, Object> message = message(row);
    message.put("events", message.remove("history"));
    return message;
  }

  private Map<String, Object> message(Map<String, Object> row) {
    Map<String, Object> message = new LinkedHashMap<>();
    put(message, "pk", String.valueOf(row.get("pk")));
    for (String name : List.of("id", "tenant_id", "tenant_name", "account_id", "priority")) {
      put(message, name, row.get(name));
    }
    put(message, "batch_code", row.get("batch_code"));
    boolean pending = row.get("deliveries") != null;
    if (pending) {
      Long due = nextAttempt(Json.tree(String.valueOf(row.get("deliveries"))));
      if (!before(due, row.get("now"))) {
        put(message, "deferred_ts", seconds(due));
      }
    }
    if (!pending) {
      put(message, "sent_ts", seconds(row.get("final_at")));
      if ("error".equals(row.get("final_type"))) {
        put(message, "error_ts", seconds(row.get("final_at")));
        put(message, "error", row.get("final_text"));
      }
    }
    put(message, "reported_ts", seconds(row.get("reported_at")));
    put(message, "created_at", iso(row.get("created_at")));
    put(message, "updated_at", iso(row.get("updated_at")));
    message.put("is_pec", false);
    message.put("message", Json.tree(String.valueOf(row.get("payload"))));
    JsonNode recipients = Json.tree(String.valueOf(row.get("recipients")));
    recipients.forEach(
        recipient -> ((ObjectNode) recipient).properties().removeIf(f -> f.getValue().isNull()));
    message.put("recipients", recipients);
    if (row.get("history") != null) {
      message.put("history", history(String.valueOf(row.get("history"))));
    }
    return message;
  }

  /** The first of its deliveries; in a lane that stands still nothing goes before that ends. */
  private @Nullable Long nextAttempt(JsonNode deliveries) {
    long first = Long.MAX_VALUE;
    for (JsonNode delivery : deliveries) {
      long due = delivery.path("due").longValue();
      if (stops != null && delivery.path("waits").intValue() == 1) {
        long until =
            stops.stoppedUntil(
                new LaneKey(
                    delivery.path("account").longValue(), delivery.path("rule").longValue()));
        due = until == Long.MAX_VALUE ? due : Math.max(due, until);
      }
      first = Math.min(first, due);
    }
    return first;
  }

  private static List<Map<String, Object>> history(String json) {
    List<Map<String, Object>> history = new ArrayList<>();
    for (var event : Json.tree(json)) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("event_id", event.path("pk").longValue());
      told.put("event_type", event.path("type").textValue());
      told.put("event_ts", event.path("at").longValue() / 1000);
      if (event.hasNonNull("text")) {
        told.put("description", event.path("text").textValue());
      }
      told.put("metadata", event.path("data"));
      if (event.hasNonNull("reported_at")) {
        told.put("reported_ts", event.path("reported_at").longValue() / 1000);
      }
      history.add(told);
    }
    return history;
  }

  private static Map<String, Object> answer(String name, List<?> list) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.put(name, list);
    return answer;
  }

  private static void put(Map<String, Object> target, String name, @Nullable Object value) {
    if (value != null) {
      target.put(name, value);
    }
  }

  private static @Nullable Boolean flag(@Nullable Object value) {
    return value instanceof Number number ? Boolean.valueOf(number.longValue() != 0) : null;
  }

  private static @Nullable Long seconds(@Nullable Object millis) {
    return millis instanceof Number number ? Long.valueOf(number.longValue() / 1000) : null;
  }

  static @Nullable String iso(@Nullable Object millis) {
    return millis instanceof Number number
        ? ISO.format(Instant.ofEpochMilli(number.longValue()))
        : null;
  }

  private static boolean before(@Nullable Object a, @Nullable Object b) {
    return a instanceof Number x && b instanceof Number y && x.longValue() <= y.longValue();
  }
}
