package io.caravan.mailproxy.report;

import io.caravan.mailproxy.db.Row;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code GET /tenants/sync-status} (genro-api 1.7). */
public final class SyncStatus {
  private static final double MILLIS = 1e3;

  private final Reports reports;
  private final InstantSource clock;
  private final SyncSettings settings;

  public SyncStatus(Reports reports, InstantSource clock, SyncSettings settings) {
    this.reports = reports;
    this.clock = clock;
    this.settings = settings;
  }

  /** The answer; the rows are those of table {@code tenant}. */
  public Map<String, Object> list(List<Map<String, Object>> rows) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.put("tenants", Row.all(rows).stream().map(this::told).toList());
    answer.put("sync_interval_seconds", settings.intervalMillis() / 1000);
    return answer;
  }

  /** While a tenant is not to be disturbed, its last call counts as made when that ends. */
  private Map<String, Object> told(Row row) {
    Map<String, Object> told = new LinkedHashMap<>();
    for (String name : List.of("id", "name", "client_base_url")) {
      String text = row.textOrNull(name);
      if (text != null) {
        told.put(name, text);
      }
    }
    told.put("active", row.number("active") != 0);
    TenantSync sync = reports.known(row.text("id"));
    long now = clock.millis();
    long quietUntil = sync == null ? 0 : sync.quietUntil;
    Long called = sync == null ? null : sync.lastCall();
    if (called != null) {
      told.put("last_sync_ts", Math.max(called, quietUntil) / MILLIS);
    }
    boolean quiet = now < quietUntil;
    boolean due = called == null || now - called >= settings.intervalMillis();
    told.put("next_sync_due", due && !quiet);
    told.put("in_dnd", quiet);
    return told;
  }
}
