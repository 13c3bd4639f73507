package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import jakarta.mail.MessagingException;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one account, for type MX to one server: how many there may be, and which are
 * kept.
 */
final class AccountConnections {
  private static final long FORGET_AFTER = TimeUnit.MINUTES.toNanos(5);

  private final SmtpSettings settings;
  private final Function<Account, ConnectionCounts> counts;
  private final HeloName heloName;
  private final ServerAddresses addresses;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Kept ones, the last used on top, so that the others get old enough to be closed. */
  private final Deque<SmtpConnection> idle = new ArrayDeque<>();

  /** In use or being opened: the keeper looks after their deadlines. */
  private final Set<SmtpConnection> busy = ConcurrentHashMap.newKeySet();

  private final AtomicInteger users = new AtomicInteger();
  private volatile long lastUsed = System.nanoTime();
  private final LearnedLimits learned = new LearnedLimits();
  private int places;
  private boolean closed;
  private @Nullable Trust trust;

  private record Trust(@Nullable String pem, boolean anybody, SSLContext context) {}

  AccountConnections(
      SmtpSettings settings,
      Function<Account, ConnectionCounts> counts,
      HeloName heloName,
      ServerAddresses addresses) {
    this.settings = settings;
    this.counts = counts;
    this.heloName = heloName;
    this.addresses = addresses;
  }

  /**
   * A connection with a session, kept or new; waits for a place. Where the relay takes no more of
   * them, for one that is open already.
   *
   * @param deadline of the whole message, in nanoseconds of {@link System#nanoTime}
   */
  SmtpConnection take(Account account, long deadline, boolean onlyNew) throws MessagingException {
    while (true) {
      SmtpConnection kept = keptOrPlace(account, deadline, onlyNew);
      if (kept == null) {
        try {
          return fresh(account, deadline);
        } catch (RelayException e) {
          if (!learnedFrom(e)) {
            throw e;
          }
        }
      } else {
        kept.begin(deadline);
        if (kept.alive()) {
          counts.apply(account).reused.increment();
          return kept;
        }
        give(kept);
      }
    }
  }

  /** Opens one in a place that was taken for it. */
  private SmtpConnection fresh(Account account, long deadline) throws MessagingException {
    SmtpConnection fresh = new SmtpConnection(account, settings, addresses);
    busy.add(fresh);
    boolean opened = false;
    try {
      fresh.begin(deadline);
      fresh.open(trust(account), heloName.of(account));
      opened = true;
      counts.apply(account).opened.increment();
      return fresh;
    } finally {
      if (!opened) {
        counts.apply(account).failed.increment();
        busy.remove(fresh);
        fresh.close();
        freePlace();
      }
    }
  }

  /** Whether the relay refused a connection only because of the others that are open. */
  private boolean learnedFrom(RelayException e) {
    if (e.phase() != Phase.CONNECT || e.code() < 400 || e.code() >= 500) {
      return false;
    }
    lock.lock();
    try {
      int others = idle.size() + (int) busy.stream().filter(SmtpConnection::isOpen).count();
      if (others > 0) {
        learned.refusedBeside(others, System.nanoTime());
      }
      return others > 0;
    } finally {
      lock.unlock();
    }
  }

  /**
   * A kept connection, already among the busy, or {@code null} for a place to open a new one in.
   */
  private @Nullable SmtpConnection keptOrPlace(Account account, long deadline, boolean onlyNew)
      throws MessagingException {
    List<SmtpConnection> out = new ArrayList<>(0);
    lock.lock();
    try {
      long left = Math.min(settings.waitTimeout().toNanos(), deadline - System.nanoTime());
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
        if (places >= most && !idle.isEmpty()) {
          out.add(idle.removeFirst());
          places--;
        }
        if (places < most) {
          places++;
          return null;
        }
        if (left <= 0) {
          throw new RelayException(
              Kind.TEMPORARY, Phase.CONNECT, "connections_busy: none came free in time", null);
        }
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RelayException(Kind.UNREACHABLE, Phase.CONNECT, "interrupted", e);
    } finally {
      lock.unlock();
      closeAll(out);
    }
  }

  private int mostConnections(Account account) {
    return learned.mostConnections(Math.max(1, account.maxConnections()), System.nanoTime());
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
        places--;
      }
    }
    return null;
  }

  /** Takes a connection back after use: keeps it, or closes it. */
  void give(SmtpConnection connection) {
    connection.end();
    boolean keep = false;
    lock.lock();
    try {
      busy.remove(connection);
      long now = System.nanoTime();
      if (connection.closedAfter() > 0) {
        learned.closedAfter(connection.closedAfter(), now);
      }
      Account account = connection.account();
      keep = !closed && places <= mostConnections(account) && keeps(connection, account, now);
      if (keep) {
        idle.addLast(connection);
      } else {
        places--;
      }
      changed.signal();
    } finally {
      lock.unlock();
    }
    if (!keep) {
      closeAll(List.of(connection));
    }
  }

  private void freePlace() {
    lock.lock();
    try {
      places--;
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /** A send begins that may use them; {@link #leave} follows. */
  void enter() {
    users.incrementAndGet();
  }

  void leave() {
    lastUsed = System.nanoTime();
    users.decrementAndGet();
  }

  /** Whether nobody used them for long and none is open; what was learned goes with them. */
  boolean isForgotten(long now) {
    lock.lock();
    try {
      return users.get() == 0 && places == 0 && now - lastUsed >= FORGET_AFTER;
    } finally {
      lock.unlock();
    }
  }

  /** The keeper's round: deadlines of the busy, age of the kept. */
  void look(long now) {
    for (SmtpConnection c : busy) {
      c.expireIfDue(now);
    }
    List<SmtpConnection> out = new ArrayList<>(0);
    lock.lock();
    try {
      for (Iterator<SmtpConnection> i = idle.iterator(); i.hasNext(); ) {
        SmtpConnection c = i.next();
        if (c.idleTooLong(now) || !keeps(c, c.account(), now)) {
          i.remove();
          out.add(c);
          places--;
        }
      }
      if (!out.isEmpty()) {
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
    closeAll(out);
  }

  /** Closes the kept ones; those in use are closed when they come back after {@link #close}. */
  void drop() {
    List<SmtpConnection> out;
    lock.lock();
    try {
      out = new ArrayList<>(idle);
      idle.clear();
      places -= out.size();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    closeAll(out);
  }

  void close() {
    lock.lock();
    try {
      closed = true;
    } finally {
      lock.unlock();
    }
    drop();
  }

  /** Closes all, those in use too. */
  void abort() {
    close();
    busy.forEach(SmtpConnection::expire);
  }

  private void closeAll(List<SmtpConnection> connections) {
    for (SmtpConnection c : connections) {
      c.close();
      counts.apply(c.account()).closed.increment();
    }
  }

  private SSLContext trust(Account account) throws RelayException {
    lock.lock();
    try {
      Trust known = trust;
      boolean anybody = account.tls() == Account.Tls.OPPORTUNISTIC;
      boolean fits =
          known != null
              && known.anybody() == anybody
              && Objects.equals(known.pem(), account.tlsCa());
      if (known == null || !fits) {
        SSLContext context = anybody ? TlsTrust.anybody() : TlsTrust.context(account.tlsCa());
        known = new Trust(account.tlsCa(), anybody, context);
        trust = known;
      }
      return known.context();
    } catch (GeneralSecurityException | IOException e) {
      throw new RelayException(
          Kind.ACCOUNT, Phase.SESSION, "tls_ca cannot be read: " + RelaySession.said(e), e);
    } finally {
      lock.unlock();
    }
  }
}
