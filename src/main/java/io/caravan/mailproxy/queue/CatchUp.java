package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.LaneKey;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Catch-up is the mode of the queue while a lane has more due than one claim takes. How much of the
 * last 60 seconds it lasted is kept in slices of a second.
 */
final class CatchUp {
  private static final int SLICES = 60;
  private static final long SLICE = TimeUnit.SECONDS.toNanos(1);

  private final LongSupplier clock;
  private final long[] lasted = new long[SLICES];
  private final Set<LaneKey> behind = new HashSet<>();
  private final long start;
  private long until;

  CatchUp() {
    this(System::nanoTime);
  }

  CatchUp(LongSupplier clock) {
    this.clock = clock;
    this.start = clock.getAsLong();
  }

  /** A claim of a lane took all that it had room for, or left nothing that is due. */
  synchronized void lane(LaneKey lane, boolean full) {
    advance();
    if (full) {
      behind.add(lane);
    } else {
      behind.remove(lane);
    }
  }

  /** Share of the last 60 seconds, 0 to 1. */
  synchronized double share() {
    advance();
    return Math.min(1, Arrays.stream(lasted).sum() / (double) (SLICES * SLICE));
  }

  /** Adds the time since the last call to its slices; what is older than a minute falls out. */
  private void advance() {
    long now = clock.getAsLong() - start;
    if (now - until >= SLICES * SLICE) {
      Arrays.fill(lasted, behind.isEmpty() ? 0 : SLICE);
      until = now;
    }
    while (until < now) {
      long slice = until / SLICE;
      long end = Math.min(now, (slice + 1) * SLICE);
      int place = (int) (slice % SLICES);
      if (until == slice * SLICE) {
        lasted[place] = 0;
      }
      if (!behind.isEmpty()) {
        lasted[place] += end - until;
      }
      until = end;
    }
  }
}
