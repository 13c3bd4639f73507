package io.caravan.mailproxy.queue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a message's rows tell beside its events: attempts made and left, its end, its reports. */
public final class Timeline {
  private static final Set<String> REPORTED = Set.of("deferred", "sent", "error");

  private final int maxAttempts;
  private final long ageMillis;

  /**
   * @param maxAttempts after which a deferral is a failure (retry.max-attempts)
   * @param maxAgeSeconds seconds after its acceptance at which a message is given up
   *     (message.max-age-seconds)
   */
  public Timeline(int maxAttempts, long maxAgeSeconds) {
    this.maxAttempts = maxAttempts;
    this.ageMillis = maxAgeSeconds * 1000;
  }

  /**
   * Of a message that waits: of the delivery that is due first.
   *
   * @param delivery as {@code read-detail.sql} has it
   */
  Map<String, Object> waiting(JsonNode delivery) {
    int attempts = delivery.path("attempts").intValue();
    long expires = delivery.path("accepted").longValue() + ageMillis;
    if (delivery.hasNonNull("expires")) {
      expires = Math.min(expires, delivery.path("expires").longValue());
    }
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("attempts", attempts);
    told.put("attempts_left", Math.max(0, maxAttempts - attempts));
    told.put("expires_ts", expires / 1000);
    return told;
  }

  /** Of a message at its end: the number of its last attempt, 0 if there was none. */
  Map<String, Object> ended(JsonNode history) {
    int attempts = 0;
    for (JsonNode event : history) {
      attempts = Math.max(attempts, event.path("data").path("attempt").intValue());
    }
    return Map.of("attempts", attempts);
  }

  /** What was told to the client of it, or is to be: each event that is reported. */
  List<Map<String, Object>> reports(JsonNode history) {
    List<Map<String, Object>> reports = new ArrayList<>();
    for (JsonNode event : history) {
      if (REPORTED.contains(event.path("type").asText())) {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("event_id", event.path("pk").longValue());
        told.put("event_type", event.path("type").asText());
        if (event.hasNonNull("reported_at")) {
          told.put("state", "acknowledged");
          told.put("reported_ts", event.path("reported_at").longValue() / 1000);
        } else {
          told.put("state", event.path("tried").intValue() == 1 ? "refused" : "waiting");
        }
        reports.add(told);
      }
    }
    return reports;
  }
}
