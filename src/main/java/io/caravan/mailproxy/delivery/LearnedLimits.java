package io.caravan.mailproxy.delivery;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What a relay taught us by 421: how many mails it takes on one connection, and how many
 * connections at a time. Both are tried anew after a while. Guarded by {@link ConnectionPlaces};
 * times are nanoseconds of {@link System#nanoTime}.
 */
final class LearnedLimits {
  /** How long a number of mails is held to. */
  static final Duration MESSAGES_FOR = Duration.ofMinutes(15);

  /** After so long without a refusal one connection more is tried. */
  static final Duration ONE_MORE_AFTER = Duration.ofMinutes(1);

  private static final long JITTER = Duration.ofSeconds(15).toNanos();
  private static final int NONE = Integer.MAX_VALUE;

  private int messages = NONE;
  private long messagesUntil;
  private int connections = NONE;
  private long refusedAt;

  /** The relay closed a connection with 421 instead of taking another mail after {@code count}. */
  void closedAfter(int count, long now) {
    messages = Math.min(mostMessages(0, now) == 0 ? NONE : messages, count);
    messagesUntil = now + MESSAGES_FOR.toNanos();
  }

  /** The relay refused a connection while {@code others} were open; 1 and more. */
  void refusedBeside(int others, long now) {
    connections = Math.min(mostConnections(NONE, now), others);
    refusedAt = now + ThreadLocalRandom.current().nextLong(JITTER);
  }

  /** The relay refused the only connection: the number of them is not why. */
  void refusedAlone() {
    connections = NONE;
  }

  /**
   * Mails on one connection.
   *
   * @param set what the account says; 0: no limit
   * @return 0: no limit
   */
  int mostMessages(int set, long now) {
    if (messages != NONE && now - messagesUntil >= 0) {
      messages = NONE;
    }
    int most = Math.min(messages, set <= 0 ? NONE : set);
    return most == NONE ? 0 : most;
  }

  /**
   * Connections at a time.
   *
   * @param set what the account says
   */
  int mostConnections(int set, long now) {
    if (connections == NONE) {
      return set;
    }
    long more = Math.max(0, now - refusedAt) / ONE_MORE_AFTER.toNanos();
    if (connections + more >= set) {
      connections = NONE;
      return set;
    }
    return (int) (connections + more);
  }
}
