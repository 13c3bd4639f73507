package io.caravan.mailproxy.db;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries what is committed from SQLite's log into the database file, beside the writer and not
 * within its commits. When the log has grown long, the writer itself is kept for the little that is
 * left, so that the log begins anew.
 */
final class Checkpointer implements AutoCloseable {
  /** Pages in the log from which on it is to begin anew: 128 MB. */
  private static final int LONG = 16_384;

  /** Pages carried in one round from which on the next one follows soon. */
  private static final int BUSY = 1_000;

  private static final long SOON_NANOS = 100_000_000;
  private static final long ROUND_NANOS = 1_000_000_000;
  private static final long PATIENCE_MILLIS = 5_000;
  private static final Logger LOG = LoggerFactory.getLogger(Checkpointer.class);

  private final DataSource source;
  private final DataSource writer;
  private final Thread thread = new Thread(this::loop, "checkpoint");
  private volatile boolean open = true;

  /**
   * Begins.
   *
   * @param source for a connection of its own
   * @param writer the one connection that writes, which does no checkpoint by itself
   */
  Checkpointer(DataSource source, DataSource writer) {
    this.source = source;
    this.writer = writer;
    thread.setDaemon(true);
    thread.start();
  }

  private void loop() {
    while (open) {
      LockSupport.parkNanos(ROUND_NANOS);
      try (Connection own = source.getConnection()) {
        int before = 0;
        while (open) {
          Log log = checkpoint(own);
          if (log.pages() >= LONG) {
            try (Connection alone = writer.getConnection()) {
              checkpoint(alone);
            }
          }
          int carried = log.carried() - before;
          before = log.carried();
          LockSupport.parkNanos(carried < 0 || carried >= BUSY ? SOON_NANOS : ROUND_NANOS);
        }
      } catch (SQLException | RuntimeException e) { // without this thread the log would only grow
        LOG.error("The database's log could not be carried over, trying again", e);
      }
    }
  }

  private static Log checkpoint(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("PRAGMA wal_checkpoint(PASSIVE)")) {
      row.next();
      return new Log(row.getInt(2), row.getInt(3));
    }
  }

  private record Log(int pages, int carried) {}

  @Override
  public void close() {
    open = false;
    LockSupport.unpark(thread);
    try {
      thread.join(PATIENCE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
