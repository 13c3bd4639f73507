package io.caravan.mailproxy.db;

import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A PostgreSQL database (14 or later) that any number of nodes share. Each kind of work has
 * connections of its own: whatever waits for one of them, outcomes are recorded.
 */
final class PostgresDatabase extends Database {
  private static final int COMMITS = 2;
  private static final int WRITERS = 4;
  private static final int READERS = 8;

  /** That one node takes at the most. */
  static final int CONNECTIONS = COMMITS + WRITERS + READERS;

  static final int CONNECT_SECONDS = 10;

  /** A statement of ours that takes longer would keep mail waiting; a connection is given up. */
  private static final int ANSWER_SECONDS = 60;

  /** A node that stands still in a transaction gives its locks back. */
  static final String BOUNDED =
      "SET idle_in_transaction_session_timeout = 15000; SET statement_timeout = 45000;"
          + " SET synchronous_commit = on";

  private final Path home;
  private final DatabaseClock clock;
  private final HikariDataSource commits;
  private final HikariDataSource writer;
  private final HikariDataSource reader;

  /**
   * Opens and migrates.
   *
   * @throws UnusableStoreException it does not answer, is too old, or cannot be migrated
   */
  PostgresDatabase(PostgresUrl url, Path home, DatabaseClock clock) {
    super("postgresql", clock);
    this.home = home;
    this.clock = clock;
    try {
      PGSimpleDataSource source = source(url, ANSWER_SECONDS);
      try (Connection connection = source.getConnection()) {
        PostgresRefusal.checkVersion(url, connection);
      }
      migrate(source(url, 0), "postgresql");
      commits = pool("commits", source, COMMITS, BOUNDED);
      writer = pool("writer", source, WRITERS, BOUNDED);
      reader = pool("reader", source, READERS, BOUNDED);
      setClock();
    } catch (SQLException | RuntimeException e) {
      throw PostgresRefusal.of(url, e);
    }
  }

  /**
   * @param answerSeconds until an answer has to be there; 0: as long as it takes
   */
  static PGSimpleDataSource source(PostgresUrl url, int answerSeconds) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(url.address());
    if (!url.user().isEmpty()) {
      source.setUser(url.user());
    }
    if (!url.password().isEmpty()) {
      source.setPassword(url.password());
    }
    source.setApplicationName("mail-proxy");
    source.setConnectTimeout(CONNECT_SECONDS);
    source.setSocketTimeout(answerSeconds);
    source.setTcpKeepAlive(true);
    source.setReWriteBatchedInserts(true);
    source.setStringType("unspecified"); // as SQLite: a text that is a number serves as one
    return source;
  }

  @Override
  public boolean isShared() {
    return true;
  }

  @Override
  public DataSource writer() {
    return writer;
  }

  @Override
  public DataSource reader() {
    return reader;
  }

  @Override
  public DataSource commits() {
    return commits;
  }

  @Override
  public Path beside(String suffix) {
    Path folder = home.resolve("data");
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(folder + " cannot be made", e);
    }
    return folder.resolve("node" + suffix);
  }

  /** All nodes need the same one. */
  @Override
  @Nullable Path keyFile() {
    return null;
  }

  @Override
  public void setClock() throws SQLException {
    try (Connection connection = reader.getConnection();
        Statement statement = connection.createStatement()) {
      clock.set(
          () -> {
            try (ResultSet row = statement.executeQuery(sql().load("now"))) {
              row.next();
              return row.getLong(1);
            }
          });
    }
  }

  @Override
  public void close() {
    reader.close();
    writer.close();
    commits.close();
  }
}
