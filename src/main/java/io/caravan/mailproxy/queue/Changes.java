package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Which tables that this node keeps in memory were changed, as table {@code change} counts. */
public final class Changes {
  private final Map<String, Long> seen = new HashMap<>();

  /**
   * Takes the rows of {@code changes.sql}.
   *
   * @return the topics that were changed since the call before; at the first one all of them
   */
  public List<String> since(List<Map<String, Object>> rows) {
    List<String> changed = new ArrayList<>();
    for (Row row : Row.all(rows)) {
      Long revision = row.number("revision");
      if (!revision.equals(seen.put(row.text("topic"), revision))) {
        changed.add(row.text("topic"));
      }
    }
    return changed;
  }
}
