package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * One writer that takes whatever work waits and commits it together: each caller returns only when
 * its work is on disk, and a commit is paid once for all who wait.
 */
final class GroupCommit implements AutoCloseable {
  private static final int MAX_WORKS = 512;

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

  private final DataSource writer;
  private final Sql sql;
  private final LinkedBlockingQueue<Pending<?>> waiting = new LinkedBlockingQueue<>();
  private volatile boolean open = true;
  private volatile Listener listener = (works, nanos) -> {};
  private @Nullable Statements statements;

  GroupCommit(DataSource writer, Sql sql) {
    this.writer = writer;
    this.sql = sql;
    Thread thread = new Thread(this::loop, "group-commit");
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * Runs work and returns when it is committed.
   *
   * @throws StoreException the store refused it; nothing of it was kept
   */
  <R> R commit(Work<R> work) {
    Pending<R> pending = new Pending<>(work);
    synchronized (this) {
      if (!open) {
        throw new StoreException(new IllegalStateException("the store is closed"));
      }
      waiting.add(pending);
    }
    try {
      return pending.done.join();
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
    List<Pending<?>> group = new ArrayList<>(MAX_WORKS);
    while (open || !waiting.isEmpty()) {
      try {
        group.add(waiting.take());
      } catch (InterruptedException e) {
        continue; // nobody interrupts this thread; a stray one must not lose what waits
      }
      waiting.drainTo(group, MAX_WORKS - 1);
      long start = System.nanoTime();
      write(group);
      listener.committed(group.size(), System.nanoTime() - start);
      group.clear();
    }
  }

  /**
   * All together; where that fails, each alone, so that one bad work fails alone. Whatever the
   * failure: without this thread nobody would be answered.
   */
  private void write(List<Pending<?>> group) {
    try {
      transaction(group);
    } catch (SQLException | RuntimeException | Error together) {
      for (Pending<?> pending : group) {
        try {
          transaction(List.of(pending));
        } catch (SQLException | RuntimeException | Error alone) {
          pending.done.completeExceptionally(alone);
        }
      }
    }
  }

  private void transaction(List<Pending<?>> group) throws SQLException {
    try (Connection connection = writer.getConnection()) {
      Statements prepared = statements(connection);
      connection.setAutoCommit(false);
      int begun = 0;
      try {
        long now = prepared.now();
        for (Pending<?> pending : group) {
          begun++;
          pending.work.ask(prepared, now);
        }
        prepared.flush();
        for (Pending<?> pending : group) {
          pending.run(prepared, now);
        }
        prepared.flush();
        connection.commit();
      } catch (SQLException | RuntimeException | Error e) {
        prepared.forget();
        connection.rollback();
        group.subList(0, begun).forEach(pending -> pending.work.rolledBack());
        throw e;
      } finally {
        connection.setAutoCommit(true);
      }
    }
    group.forEach(Pending::complete);
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

    @SuppressWarnings("NullAway") // a work may well answer null
    void complete() {
      done.complete(result);
    }
  }
}
