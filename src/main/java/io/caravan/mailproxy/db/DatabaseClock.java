package io.caravan.mailproxy.db;

import java.time.Instant;
import java.time.InstantSource;

/**
 * The clock of a database elsewhere, as this process knows it: its own one, put right at each look.
 */
final class DatabaseClock implements InstantSource {
  private final InstantSource own;
  private volatile long aheadMillis;

  /**
   * @param own what counts the time between two looks
   */
  DatabaseClock(InstantSource own) {
    this.own = own;
  }

  /** Unix milliseconds. */
  @Override
  public long millis() {
    return own.millis() + aheadMillis;
  }

  @Override
  public Instant instant() {
    return Instant.ofEpochMilli(millis());
  }

  /** A look at the other clock. */
  interface Look {
    /** Unix milliseconds. */
    long millis() throws java.sql.SQLException;
  }

  /**
   * Takes the other clock's time for that of the middle of the look; of two looks the later counts.
   */
  synchronized void set(Look look) throws java.sql.SQLException {
    long before = own.millis();
    long theirs = look.millis();
    aheadMillis = theirs - (before + own.millis()) / 2;
  }
}
