package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The places for the connections of one account: how many there are, who waits for one, and which
 * connection is in use or kept in which. It closes none: those that lose their place are handed
 * out, to be closed without the lock.
 *
 * <p>Safe for any number of threads.
 */
final class ConnectionPlaces {
  private final Duration waitTimeout;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Kept ones, the last used on top, so that the others get old enough to be closed. */
  private final Deque<SmtpConnection> idle = new ArrayDeque<>();

  /** In use or being opened: the keeper looks after their deadlines. */
  private final Set<SmtpConnection> busy = ConcurrentHashMap.newKeySet();

  private final LearnedLimits learned = new LearnedLimits();
  private int taken;
  private boolean closed;

  /**
   * @param waitTimeout how long one may wait for a place
   */
  ConnectionPlaces(Duration waitTimeout) {
    this.waitTimeout = waitTimeout;
  }

  /**
   * A kept connection, already among those in use, or {@code null} for a place to open a new one
   * in; waits for either.
   *
   * @param deadline of the whole message, in nanoseconds of {@link System#nanoTime}
   * @param out takes those that lost their place, also where this throws
   * @throws ConnectionsBusyException none came free in time
   * @throws RelayException the places are closed
   */
  @Nullable SmtpConnection keptOrPlace(
      Account account, long deadline, boolean onlyNew, List<SmtpConnection> out)
      throws ConnectionsBusyException, RelayException {
    lock.lock();
    try {
      long left = Math.min(waitTimeout.toNanos(), deadline - System.nanoTime());
      while (true) {
        if (closed) {
          throw new RelayException(Kind.UNREACHABLE, Phase.CONNECT, "shutting down", null);
        }
        SmtpConnection kept = onlyNew ? null : kept(account, out);
        if (kept != null) {
          busy.add(kept);
          return kept;
        }
        int most = mostConnections(account);
        if (taken >= most && !idle.isEmpty()) {
          out.add(idle.removeFirst());
          taken--;
        }
        if (taken < most) {
          taken++;
          return null;
        }
        if (left <= 0) {
          throw new ConnectionsBusyException();
        }
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RelayException(Kind.UNREACHABLE, Phase.CONNECT, "interrupted", e);
    } finally {
      lock.unlock();
    }
  }

  private int mostConnections(Account account) {
    return learned.mostConnections(Math.max(1, account.maxConnections()), System.nanoTime());
  }

  /** How many connections the relay was found to take; {@link Integer#MAX_VALUE}: no bound. */
  int learnedConnections(long now) {
    lock.lock();
    try {
      return learned.mostConnections(Integer.MAX_VALUE, now);
    } finally {
      lock.unlock();
    }
  }

  private boolean keeps(SmtpConnection c, Account account, long now) {
    return c.keeps(account, learned.mostMessages(account.maxMessagesPerConnection(), now), now);
  }

  /** The last used one that fits; those that are out of date on the way go to {@code out}. */
  private @Nullable SmtpConnection kept(Account account, List<SmtpConnection> out) {
    long now = System.nanoTime();
    for (Iterator<SmtpConnection> i = idle.descendingIterator(); i.hasNext(); ) {
      SmtpConnection c = i.next();
      boolean same = SmtpConnection.sameSession(account, c.account());
      if (same && keeps(c, account, now) && !c.idleTooLong(now)) {
        i.remove();
        return c;
      }
      // one of a later revision is left for those who know that revision
      if (same || c.account().revision() <= account.revision()) {
        i.remove();
        out.add(c);
        taken--;
      }
    }
    return null;
  }

  /** A new connection goes into the place that {@link #keptOrPlace} had for it. */
  void use(SmtpConnection fresh) {
    busy.add(fresh);
  }

  /** Those in use or being opened, as they come and go. */
  Collection<SmtpConnection> used() {
    return Collections.unmodifiableCollection(busy);
  }

  /**
   * The place of a connection that could not be opened, and is closed, is free again. Where the
   * relay refused it and there are others, it takes no more than those, which is known before
   * another is opened. Those that are being opened count: of many at a time it may take the first.
   *
   * @return whether the relay refused it only because of others
   */
  boolean free(SmtpConnection failed, boolean refused) {
    lock.lock();
    try {
      busy.remove(failed);
      taken--;
      int others = idle.size() + busy.size();
      if (refused && others > 0) {
        learned.refusedBeside(others, System.nanoTime());
      } else if (refused) {
        learned.refusedAlone();
      }
      changed.signal();
      return refused && others > 0;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes a connection back after use.
   *
   * @return whether it is kept; if not, its place is free and it is to be closed
   */
  boolean keep(SmtpConnection connection) {
    lock.lock();
    try {
      busy.remove(connection);
      long now = System.nanoTime();
      if (connection.closedAfter() > 0) {
        learned.closedAfter(connection.closedAfter(), now);
      }
      Account account = connection.account();
      boolean keep =
          !closed && taken <= mostConnections(account) && keeps(connection, account, now);
      if (keep) {
        idle.addLast(connection);
      } else {
        taken--;
      }
      changed.signal();
      return keep;
    } finally {
      lock.unlock();
    }
  }

  /** Whether there is no connection, neither open nor being opened. */
  boolean areAllFree() {
    lock.lock();
    try {
      return taken == 0;
    } finally {
      lock.unlock();
    }
  }

  /** Frees the places of kept ones that are too old, and answers those. */
  List<SmtpConnection> outOfDate(long now) {
    List<SmtpConnection> out = new ArrayList<>(0);
    lock.lock();
    try {
      for (Iterator<SmtpConnection> i = idle.iterator(); i.hasNext(); ) {
        SmtpConnection c = i.next();
        if (c.idleTooLong(now) || !keeps(c, c.account(), now)) {
          i.remove();
          out.add(c);
          taken--;
        }
      }
      if (!out.isEmpty()) {
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
    return out;
  }

  /** Frees the places of all kept ones, and answers those. */
  List<SmtpConnection> keepNone() {
    lock.lock();
    try {
      List<SmtpConnection> out = new ArrayList<>(idle);
      idle.clear();
      taken -= out.size();
      changed.signalAll();
      return out;
    } finally {
      lock.unlock();
    }
  }

  /** From now on nothing is given out, and what comes back is not kept. */
  void close() {
    lock.lock();
    try {
      closed = true;
    } finally {
      lock.unlock();
    }
  }
}
