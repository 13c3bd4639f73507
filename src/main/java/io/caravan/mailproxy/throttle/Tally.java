package io.caravan.mailproxy.throttle;

import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What stands in the ledger of one scope: open permits, and what ended in which bucket. */
public final class Tally {
  private final Map<Window, TreeMap<Long, Long>> ended = new EnumMap<>(Window.class);
  private final long open;

  /**
   * @param open permits reserved and not ended, on all nodes
   */
  public Tally(long open) {
    this.open = open;
  }

  /** Adds what ended in a bucket of the window with this many seconds. */
  public void ended(long seconds, long bucket, long count) {
    ended
        .computeIfAbsent(Window.ofSeconds(seconds), window -> new TreeMap<>())
        .merge(bucket, count, Long::sum);
  }

  /** Permits that no limit forbids now; 0 and more. */
  public long left(List<Limit> limits, long now) {
    long left = Long.MAX_VALUE;
    for (Limit limit : limits) {
      left = Math.min(left, limit.most() - used(limit.window(), now));
    }
    return Math.max(0, left);
  }

  /**
   * The limit that holds back longest; where none does, the one with the least left.
   *
   * @return empty: there is no limit
   */
  public Optional<Usage> usage(List<Limit> limits, long now) {
    return limits.stream()
        .map(limit -> usage(limit, now))
        .max(
            Comparator.comparingLong(Usage::freeAt)
                .thenComparing(usage -> usage.used() - usage.limit()));
  }

  private Usage usage(Limit limit, long now) {
    Window window = limit.window();
    long used = used(window, now);
    long over = used - limit.most();
    if (over < 0) {
      return new Usage(limit.most(), used, window, now, true);
    }
    for (Map.Entry<Long, Long> bucket : buckets(window).entrySet()) {
      if (window.freeAt(bucket.getKey()) > now) {
        over -= bucket.getValue();
        if (over < 0) {
          return new Usage(limit.most(), used, window, window.freeAt(bucket.getKey()), true);
        }
      }
    }
    return new Usage(limit.most(), used, window, window.freeAt(window.bucket(now)), false);
  }

  /** What counts in a window, with what is open. */
  public long used(Window window, long now) {
    long used = open;
    for (Map.Entry<Long, Long> bucket : buckets(window).entrySet()) {
      used += window.freeAt(bucket.getKey()) > now ? bucket.getValue() : 0;
    }
    return used;
  }

  private Map<Long, Long> buckets(Window window) {
    return ended.getOrDefault(window, new TreeMap<>());
  }
}
