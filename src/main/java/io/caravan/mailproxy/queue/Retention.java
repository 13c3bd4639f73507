package io.caravan.mailproxy.queue;

import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How long mail is kept that is finished and was reported (genro-api 4.4). It is deleted in pieces
 * or, where it lies in slices of time, with its slice.
 */
public final class Retention {
  /** Slices cost each statement that does not know when its message was made. */
  private static final int SLICES = 2;

  private static final long LEAST_WIDTH_MILLIS = TimeUnit.HOURS.toMillis(1);

  private final Lease lease;
  private final InstantSource clock;
  private final long keepMillis;
  private String syncUrl = "";

  /**
   * @param clock the database's clock
   * @param keepSeconds since the last report, or what happened last; 0 and less: for ever
   */
  public Retention(Lease lease, InstantSource clock, long keepSeconds) {
    this.lease = lease;
    this.clock = clock;
    this.keepMillis = TimeUnit.SECONDS.toMillis(keepSeconds);
  }

  /** Where tenants without an endpoint of their own are told of their mail; blank: nowhere. */
  public void setSyncUrl(String syncUrl) {
    this.syncUrl = syncUrl;
  }

  /**
   * Parameters for the statements of a round.
   *
   * @return {@code null}: all is kept, or another node does this
   */
  public @Nullable Map<String, Object> round() {
    return keepMillis <= 0 || !lease.leads()
        ? null
        : Map.of(
            "before",
            clock.millis() - keepMillis,
            "width",
            Math.max(LEAST_WIDTH_MILLIS, keepMillis / SLICES),
            "common",
            syncUrl.isBlank() ? 0 : 1);
  }
}
