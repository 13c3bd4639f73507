package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Which tables that this node keeps in memory were changed, as table {@code change} counts. */
public final class Changes {
  private final Map<String, Long> seen = new ConcurrentHashMap<>();
  private volatile Map<String, Long> asked = Map.of();

  /**
   * Takes the rows of {@code changes.sql}.
   *
   * @return the topics that were changed since they were {@link #taken}; at the first one all of
   *     them
   */
  public List<String> since(List<Map<String, Object>> rows) {
    Map<String, Long> now = new HashMap<>();
    List<String> changed = new ArrayList<>();
    for (Row row : Row.all(rows)) {
      Long revision = row.number("revision");
      now.put(row.text("topic"), revision);
      if (!revision.equals(seen.get(row.text("topic")))) {
        changed.add(row.text("topic"));
      }
    }
    asked = now;
    return changed;
  }

  /** All are to be read anew: this node stood still, and may not have heard what it was told. */
  public void forget() {
    seen.clear();
  }

  /** A table was read anew; one that could not be read is changed at the next look as well. */
  public void taken(String topic) {
    Long revision = asked.get(topic);
    if (revision != null) {
      seen.put(topic, revision);
    }
  }
}
