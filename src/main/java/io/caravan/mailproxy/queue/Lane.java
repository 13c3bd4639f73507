package io.caravan.mailproxy.queue;

/**
 * The unit of scheduling: how much of one account's work this node holds. Guarded by {@link Lanes},
 * except the count of running attempts, which the {@link LaneQueue}s share.
 */
final class Lane {
  private static final int WINDOW_PER_CONNECTION = 8;

  final long accountPk;
  private final Connections connections;

  /** Deliveries leased to this node whose attempt is not recorded yet. */
  int held;

  /** Rows that are due stand in the table: new ones queue up behind them. */
  boolean backlog;

  /** When the next row that waits in the table is due, Unix milliseconds; MAX_VALUE: none known. */
  long nextDueAt = Long.MAX_VALUE;

  /** Grows with each row that stays in the table, so that a claim does not forget it. */
  long version;

  Lane(long accountPk, int maxConnections) {
    this.accountPk = accountPk;
    this.connections = new Connections(maxConnections);
  }

  Connections connections() {
    return connections;
  }

  /** How many deliveries are held in memory at most: enough that a claim is worth its commit. */
  int window() {
    return connections.max() * WINDOW_PER_CONNECTION;
  }

  int room() {
    return Math.max(0, window() - held);
  }

  /** Whether a claim now is worth its commit. */
  boolean wantsMore() {
    return held * 2 <= window();
  }

  /** Attempts of a lane at the same time; the bound is the account's {@code max_connections}. */
  static final class Connections {
    private int max;
    private int running;

    Connections(int max) {
      this.max = max;
    }

    synchronized int max() {
      return max;
    }

    synchronized void max(int connections) {
      max = connections;
    }

    /** Takes one, if one is free. */
    synchronized boolean tryStart() {
      if (running >= max) {
        return false;
      }
      running++;
      return true;
    }

    synchronized void finish() {
      running--;
    }
  }
}
