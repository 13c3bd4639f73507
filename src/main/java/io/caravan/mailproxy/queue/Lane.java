package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Priority;
import java.util.Map;

/**
 * The unit of scheduling: how much of one lane's work this node holds. Guarded by {@link Lanes},
 * except the {@link Gate}, which the {@link LaneQueue}s share.
 */
final class Lane {
  private static final int FLOOR_PER_CONNECTION = 8;
  private static final int ALL_PRIORITIES = (1 << Priority.values().length) - 1;

  final LaneKey key;
  private final Gate gate;

  /** Deliveries leased to this node whose attempt is not recorded yet. */
  int held;

  /** Those of them that are urgent. */
  int urgentHeld;

  /** Bytes of their messages. */
  long bytes;

  /** For each priority a bit: rows that are due stand in the table, new ones queue up behind. */
  private int backlog;

  /** When the next row that waits in the table is due, Unix milliseconds; MAX_VALUE: none known. */
  long nextDueAt = Long.MAX_VALUE;

  /** Grows with each row that stays in the table, so that a claim does not forget it. */
  long version;

  Lane(LaneKey key, Gate gate) {
    this.key = key;
    this.gate = gate;
  }

  Gate gate() {
    return gate;
  }

  /** How many deliveries may be held whatever others hold: enough that a claim pays its commit. */
  int floor() {
    return gate.max() * FLOOR_PER_CONNECTION;
  }

  boolean hasBacklog() {
    return backlog != 0;
  }

  /** Whether rows of this priority or a higher one are due in the table. */
  boolean isBehind(Priority priority) {
    return (backlog & (2 << priority.level()) - 1) != 0;
  }

  boolean isUrgent() {
    return (backlog & 1) != 0;
  }

  /** A row of this priority is due in the table. */
  void behind(int level) {
    backlog |= 1 << level;
  }

  /** Rows are due in the table, of which priority is not known. */
  void behind() {
    backlog = ALL_PRIORITIES;
  }

  /** Nothing is due in the table. */
  void caughtUp() {
    backlog = 0;
  }

  /** Of what is urgent nothing is due in the table. */
  void caughtUpUrgent() {
    backlog &= ~1;
  }

  /** What lets attempts of a lane start: connections, and the causes for which it stands still. */
  static final class Gate {
    private final Stops lane;
    private final Stops account;
    private int max;
    private int running;

    Gate(Stops lane, Stops account, int max) {
      this.lane = lane;
      this.account = account;
      this.max = max;
    }

    synchronized int max() {
      return max;
    }

    synchronized void max(int connections) {
      max = connections;
    }

    /** Takes a connection's place, if one is free and nothing stops the lane. */
    synchronized boolean tryStart(long now) {
      if (running >= max || isStopped(now)) {
        return false;
      }
      if (lane.guarded(now) || account.guarded(now)) {
        lane.pass();
        account.pass();
      }
      running++;
      return true;
    }

    synchronized void finish() {
      running--;
    }

    boolean isStopped(long now) {
      return lane.holds(now) || account.holds(now);
    }

    /** Whether only single deliveries may start. */
    boolean isGuarded(long now) {
      return lane.guarded(now) || account.guarded(now);
    }

    long nextEnd(long now) {
      return Math.min(lane.nextEnd(now), account.nextEnd(now));
    }

    /** When the last cause ends, Unix milliseconds; 0: there is none. */
    long stoppedUntil() {
      return Math.max(lane.lastEnd(), account.lastEnd());
    }

    /** The causes for which it stands still, those of its account included, and their ends. */
    Map<String, Long> stoppedBy(long now) {
      Map<String, Long> ends = account.at(now);
      ends.putAll(lane.at(now));
      return ends;
    }

    Stops stops() {
      return lane;
    }
  }
}
