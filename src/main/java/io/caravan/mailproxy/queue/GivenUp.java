package io.caravan.mailproxy.queue;

import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Asks for what is to be given up, in pieces. */
public final class GivenUp {
  private static final int PIECE = 200;

  private final InstantSource clock;
  private final long ageMillis;

  /**
   * @param clock the database's clock
   * @param maxAgeSeconds seconds after its acceptance at which a message is given up
   *     (message.max-age-seconds)
   */
  public GivenUp(InstantSource clock, long maxAgeSeconds) {
    this.clock = clock;
    this.ageMillis = TimeUnit.SECONDS.toMillis(maxAgeSeconds);
  }

  /** Parameters for {@code given-up.sql}. */
  public Map<String, Object> values() {
    return Map.of(
        "oldest", Ids.floor(clock.millis() - ageMillis), "age", ageMillis, "piece", PIECE);
  }

  /** Whether more of them may be left. */
  public boolean more(List<Map<String, Object>> rows) {
    return rows.size() >= PIECE;
  }
}
