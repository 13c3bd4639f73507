package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Quota;
import io.caravan.mailproxy.throttle.Tally;
import io.caravan.mailproxy.throttle.Window;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How much of each account's limits by minute, hour and day is used, as the ledger said last. */
public final class RateWindows {
  private final Registry accounts;
  private final InstantSource clock;
  private final MultiGauge used;
  private final MultiGauge allowed;

  /**
   * @param clock the database's clock
   */
  public RateWindows(Registry accounts, MeterRegistry registry, InstantSource clock) {
    this.accounts = accounts;
    this.clock = clock;
    this.used =
        MultiGauge.builder("mailproxy.rate.used")
            .description(
                "SMTP transactions of an account in its sliding window, open ones included")
            .register(registry);
    this.allowed =
        MultiGauge.builder("mailproxy.rate.allowed")
            .description("SMTP transactions that the window may hold")
            .register(registry);
  }

  /** Takes the rows of {@code rate-windows.sql}: of each account what is open, and its buckets. */
  public void seen(List<Map<String, Object>> rows) {
    Map<Long, Tally> tallies = new HashMap<>();
    for (Row row : Row.all(rows)) {
      long pk = row.number("account_pk");
      if (row.number("span") == 0) {
        tallies.put(pk, new Tally(row.number("used")));
      } else {
        tallies
            .computeIfAbsent(pk, key -> new Tally(0))
            .ended(row.number("span"), row.number("bucket"), row.number("used"));
      }
    }
    long now = clock.millis();
    Map<Tags, Long> ofUse = new HashMap<>(); // sums: tenants may use one id
    Map<Tags, Long> ofLimit = new HashMap<>();
    for (Account account : accounts.accounts()) {
      Tally tally = tallies.getOrDefault(account.pk(), new Tally(0));
      for (Window window : Window.values()) {
        Integer limit = limit(account.quota(), window);
        if (limit != null) {
          Tags tags = Tags.of("account_id", account.id(), "window", window.label());
          ofUse.merge(tags, tally.used(window, now), Long::sum);
          ofLimit.merge(tags, limit.longValue(), Long::sum);
        }
      }
    }
    show(used, ofUse);
    show(allowed, ofLimit);
  }

  private static void show(MultiGauge gauge, Map<Tags, Long> values) {
    List<MultiGauge.Row<?>> rows = new ArrayList<>();
    values.forEach((tags, value) -> rows.add(MultiGauge.Row.of(tags, value)));
    gauge.register(rows, true);
  }

  private static @Nullable Integer limit(Quota quota, Window window) {
    return switch (window) {
      case MINUTE -> quota.minute();
      case HOUR -> quota.hour();
      case DAY -> quota.day();
    };
  }
}
