package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.db.Sql;
import io.caravan.mailproxy.db.StoreFault;
import io.caravan.mailproxy.db.StoreHealth;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One writer that takes whatever work waits and commits it together: each caller returns only when
 * its work is on disk, and a commit is paid once for all who wait.
 */
final class GroupCommit implements AutoCloseable {
  private static final int MAX_WORKS = 512;

  /** So long at most a group waits for those who were in the last one. */
  private static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  /** A transaction that takes longer makes the next one smaller: who is in it waits for its end. */
  private static final long SLOW_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final int NOBODY = Integer.MAX_VALUE;

  /** A piece of work inside the common transaction. */
  interface Work<R> {
    /**
     * Asks for changes whose counts {@code run} needs: those of all works go to the store together.
     *
     * @param now the database's clock, Unix milliseconds
     */
    default void ask(Statements statements, long now) throws SQLException {}

    /**
     * Does the work; it is not durable yet.
     *
     * @param now the database's clock, Unix milliseconds
     */
    R run(Statements statements, long now) throws SQLException;

    /** The transaction was rolled back; {@code run} may be called once more. */
    default void rolledBack() {}
  }

  /** Told of each commit. */
  interface Listener {
    /**
     * A group is on disk, or was refused. Must not throw: nobody would be answered any more.
     *
     * @param works pieces of work in it
     * @param nanos how long it took, nanoseconds
     */
    void committed(int works, long nanos);
  }

  private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

  private final DataSource writer;
  private final Sql sql;
  private final StoreHealth health;
  private final int patienceSeconds;
  private final Thread thread;
  private final LinkedBlockingQueue<Pending<?>> waiting = new LinkedBlockingQueue<>();
  private volatile boolean open = true;
  private volatile Listener listener = (works, nanos) -> {};
  private @Nullable Statements statements;
  private boolean ending;
  private int most = MAX_WORKS;

  /** How many have to wait until the thread that gathers them goes on. */
  private volatile int gathered = NOBODY;

  /**
   * @param writer of the database, for this thread
   */
  GroupCommit(Database database, DataSource writer) {
    this.writer = writer;
    this.sql = database.sql();
    this.health = database.health();
    this.patienceSeconds = database.patienceSeconds();
    thread = new Thread(this::loop, "group-commit");
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * Runs work and returns when it is committed.
   *
   * @throws StoreException the store refused it, is away, or too slow for it to have its turn
   */
  <R> R commit(Work<R> work) {
    Pending<R> pending = new Pending<>(work);
    try {
      health.check();
      synchronized (this) {
        if (!open) {
          throw new StoreException(new IllegalStateException("the store is closed"));
        }
        waiting.add(pending);
      }
      if (waiting.size() >= gathered) {
        LockSupport.unpark(thread);
      }
      return pending.await(waiting, patienceSeconds);
    } catch (SQLException e) {
      throw new StoreException(e);
    } catch (CompletionException e) {
      throw new StoreException(e.getCause() == null ? e : e.getCause());
    }
  }

  /** Commits what waits, then ends. */
  @Override
  public void close() {
    Pending<?> last = new Pending<>((statements, now) -> now);
    synchronized (this) {
      open = false;
      waiting.add(last);
    }
    last.done.handle((result, failure) -> result).join();
  }

  void onCommit(Listener told) {
    listener = told;
  }

  private void loop() {
    int works = 1;
    long nanos = 0;
    while (open || !waiting.isEmpty()) {
      Pending<?> first;
      try {
        first = waiting.take();
      } catch (InterruptedException e) {
        continue; // nobody interrupts this thread; a stray one must not lose what waits
      }
      gather(works, nanos);
      long start = System.nanoTime();
      works = write(first);
      nanos = System.nanoTime() - start;
      most = nanos > SLOW_NANOS ? Math.max(1, works / 2) : Math.min(MAX_WORKS, 2 * most);
      listener.committed(works, nanos);
    }
  }

  /**
   * Gives those who were in the last group time to come again, as long as that one took: a commit
   * costs much the same for one and for many. Who came alone does not wait.
   */
  private void gather(int last, long nanos) {
    long end = System.nanoTime() + Math.min(nanos, GATHER_NANOS);
    gathered = last - 1;
    long left = end - System.nanoTime();
    while (waiting.size() < gathered && left > 0) {
      LockSupport.parkNanos(this, left);
      left = end - System.nanoTime();
    }
    gathered = NOBODY;
  }

  /**
   * All that waits together; where that fails, each alone, so that one bad work fails alone. Where
   * the store is to blame, all fail; after a second try, if the connection was broken already.
   * Whatever the failure: without this thread nobody would be answered.
   *
   * @return how many
   */
  private int write(Pending<?> first) {
    List<Pending<?>> group = new ArrayList<>();
    group.add(first);
    waiting.drainTo(group, most - 1);
    Throwable failure = tried(group);
    if (StoreFault.isBroken(failure) && !ending) {
      failure = tried(group);
    }
    if (failure != null && StoreFault.of(failure) == null) {
      for (Pending<?> pending : group) {
        Throwable alone = tried(List.of(pending));
        if (alone != null) {
          health.met(alone);
          pending.done.completeExceptionally(alone);
        }
      }
    } else if (failure != null) {
      health.met(failure);
      for (Pending<?> pending : group) {
        pending.done.completeExceptionally(failure);
      }
    }
    return group.size();
  }

  private @Nullable Throwable tried(List<Pending<?>> group) {
    try {
      transaction(group);
      return null;
    } catch (SQLException | RuntimeException | Error e) {
      return e;
    }
  }

  private void transaction(List<Pending<?>> group) throws SQLException {
    ending = false;
    Connection connection = writer.getConnection();
    int begun = 0;
    try {
      Statements prepared = statements(connection);
      connection.setAutoCommit(false);
      long now = prepared.begin();
      for (Pending<?> pending : group) {
        begun++;
        pending.work.ask(prepared, now);
      }
      prepared.flush();
      for (Pending<?> pending : group) {
        pending.run(prepared, now);
      }
      prepared.flush();
      ending = true;
      connection.commit();
    } catch (SQLException | RuntimeException | Error e) {
      quietly(connection::rollback);
      forget();
      group.subList(0, begun).forEach(pending -> pending.work.rolledBack());
      throw e;
    } finally {
      quietly(connection::close);
    }
    group.forEach(Pending::complete);
  }

  /** What waits in the statements of a transaction that failed. */
  private void forget() {
    if (statements != null) {
      quietly(statements::forget);
    }
  }

  private interface Step {
    void run() throws SQLException;
  }

  /** What is done on a connection that may be broken, and changes nothing for who waits. */
  private static void quietly(Step step) {
    try {
      step.run();
    } catch (SQLException e) {
      LOG.debug("a connection is given up", e);
    }
  }

  /** The pool hands out the same physical connection as long as it lives. */
  private Statements statements(Connection pooled) throws SQLException {
    Connection physical = pooled.unwrap(Connection.class);
    if (statements == null || !statements.belongTo(physical)) {
      statements = new Statements(physical, sql);
    }
    return statements;
  }

  private static final class Pending<R> {
    final Work<R> work;
    final CompletableFuture<R> done = new CompletableFuture<>();
    private @Nullable R result;

    Pending(Work<R> work) {
      this.work = work;
    }

    void run(Statements statements, long now) throws SQLException {
      result = work.run(statements, now);
    }

    /** Waits for its turn, and then for its end: each statement has a deadline of its own. */
    R await(Queue<Pending<?>> line, int seconds) throws SQLTimeoutException {
      try {
        return done.get(seconds, TimeUnit.SECONDS);
      } catch (TimeoutException | InterruptedException e) {
        if (line.remove(this)) {
          throw new SQLTimeoutException("the store is too slow: no turn in time", e);
        }
        return done.join();
      } catch (ExecutionException e) {
        throw new StoreException(e.getCause() == null ? e : e.getCause());
      }
    }

    @SuppressWarnings("NullAway") // a work may well answer null
    void complete() {
      done.complete(result);
    }
  }
}
