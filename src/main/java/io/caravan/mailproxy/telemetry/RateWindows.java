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
import java.util.function.ToLongFunction;
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
    Map<Tags, Fill> fills = new HashMap<>();
    for (Account account : accounts.accounts()) {
      Tally tally = tallies.getOrDefault(account.pk(), new Tally(0));
      for (Window window : Window.values()) {
        Integer limit = limit(account.quota(), window);
        if (limit != null) {
          // tenants may use one id: the fullest window counts
          fills.merge(
              Tags.of("account_id", account.id(), "window", window.label()),
              new Fill(tally.used(window, now), limit),
              (one, other) -> one.share() >= other.share() ? one : other);
        }
      }
    }
    show(used, fills, Fill::used);
    show(allowed, fills, Fill::allowed);
  }

  private record Fill(long used, long allowed) {
    double share() {
      return (double) used / allowed;
    }
  }

  private static void show(MultiGauge gauge, Map<Tags, Fill> fills, ToLongFunction<Fill> what) {
    List<MultiGauge.Row<?>> rows = new ArrayList<>();
    fills.forEach((tags, fill) -> rows.add(MultiGauge.Row.of(tags, what.applyAsLong(fill))));
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
