package io.caravan.mailproxy.queue;

import java.util.HashMap;
import java.util.Map;

/**
 * Why a lane, or all lanes of an account, stand still: each cause has its end. Read without a lock,
 * changed under that of {@link Lanes}.
 */
final class Stops {
  /** A cause and how many deliveries may pass it nevertheless. */
  private record Stop(long until, int passes) {}

  private volatile Map<String, Stop> causes = Map.of();

  /**
   * Stops for a cause, or changes its end.
   *
   * @param until Unix milliseconds; {@code Long.MAX_VALUE}: until it is lifted
   */
  synchronized void add(String cause, long until) {
    Map<String, Stop> now = new HashMap<>(causes);
    now.put(cause, new Stop(until, 0));
    causes = Map.copyOf(now);
  }

  /** Ends a cause; whether there was one. */
  synchronized boolean lift(String cause) {
    if (!causes.containsKey(cause)) {
      return false;
    }
    Map<String, Stop> now = new HashMap<>(causes);
    now.remove(cause);
    causes = Map.copyOf(now);
    return true;
  }

  /** Ends all causes that begin so; whether there was one. */
  synchronized boolean liftAll(String kind) {
    Map<String, Stop> now = new HashMap<>(causes);
    boolean lifted = now.keySet().removeIf(cause -> cause.startsWith(kind));
    causes = Map.copyOf(now);
    return lifted;
  }

  /** Lets one delivery pass a cause that goes on. */
  synchronized void allowOne(String cause) {
    Stop stop = causes.get(cause);
    if (stop != null) {
      Map<String, Stop> now = new HashMap<>(causes);
      now.put(cause, new Stop(stop.until(), 1));
      causes = Map.copyOf(now);
    }
  }

  /** Whether nothing may start now; a pass counts as leave and is not used up. */
  boolean holds(long now) {
    for (Stop stop : causes.values()) {
      if (stop.until() > now && stop.passes() == 0) {
        return true;
      }
    }
    return false;
  }

  /** Whether a start needs a pass. */
  boolean guarded(long now) {
    for (Stop stop : causes.values()) {
      if (stop.until() > now) {
        return true;
      }
    }
    return false;
  }

  /** Uses the passes up. */
  synchronized void pass() {
    Map<String, Stop> now = new HashMap<>();
    causes.forEach((cause, stop) -> now.put(cause, new Stop(stop.until(), 0)));
    causes = Map.copyOf(now);
  }

  /** When the last cause ends, Unix milliseconds; 0: there is none. */
  long lastEnd() {
    return causes.values().stream().mapToLong(Stop::until).max().orElse(0);
  }

  /** The causes that go on, with their ends in Unix milliseconds. */
  Map<String, Long> at(long now) {
    Map<String, Long> ends = new HashMap<>();
    causes.forEach(
        (cause, stop) -> {
          if (stop.until() > now) {
            ends.put(cause, stop.until());
          }
        });
    return ends;
  }

  /** When the first cause ends that lies ahead, Unix milliseconds; MAX_VALUE: none. */
  long nextEnd(long now) {
    long next = Long.MAX_VALUE;
    for (Stop stop : causes.values()) {
      if (stop.until() > now) {
        next = Math.min(next, stop.until());
      }
    }
    return next;
  }
}
