package io.caravan.mailproxy.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Json;
import java.util.LinkedHashMap;
import java.util.Map;

/** One event in the form clients know (genro-api 4.1). */
final class ReportItem {
  private ReportItem() {}

  /** A row of {@code read-unreported.sql}. */
  static Map<String, Object> of(Row row) {
    Map<String, Object> item = new LinkedHashMap<>();
    item.put("id", row.text("id"));
    long at = row.number("at") / 1000;
    switch (row.text("type")) {
      case "sent" -> item.put("sent_ts", at);
      case "error" -> {
        item.put("error_ts", at);
        item.put("error", row.text("text"));
      }
      default -> {
        JsonNode data = Json.tree(row.text("data"));
        item.put("deferred_ts", data.path("next_attempt_at").longValue() / 1000);
        item.put("deferred_reason", row.text("text"));
      }
    }
    item.put("tenant_id", row.text("tenant_id"));
    item.put("pk", String.valueOf(row.number("message_pk")));
    return item;
  }
}
