package io.caravan.mailproxy.db;

import com.zaxxer.hikari.HikariConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PreferQueryMode;

/**
 * A PostgreSQL database (14 or later) that any number of nodes share. Each kind of work has
 * connections of its own: whatever waits for one of them, outcomes are recorded.
 */
final class PostgresDatabase extends Database {
  private static final int COMMITS = 2;
  private static final int WRITERS = 4;
  private static final int READERS = 8;
  private static final int ASIDE = 1;
  private static final int UPKEEP = 1;

  /** That one node takes at the most. */
  static final int CONNECTIONS = COMMITS + ASIDE + WRITERS + READERS + UPKEEP;

  static final int CONNECT_SECONDS = 5;

  /** Of a slow database a session takes some round trips. */
  private static final int LOGIN_SECONDS = 15;

  /** Who waits longer for a connection had better be told so. */
  private static final long BORROW_MILLIS = 3_000;

  /**
   * Who takes mail in is to know within two seconds that it cannot (reliability-security A5, F11).
   */
  private static final int PATIENCE_SECONDS = 2;

  private static final long COMMIT_BORROW_MILLIS = 1_500;

  /** A round trip that finds out whether a connection is alive. */
  private static final long ALIVE_MILLIS = 2_500;

  /** What clients and outcomes wait for are short statements: a node cut off notices by them. */
  private static final int COMMIT_SECONDS = 5;

  /** A statement of ours that takes longer would keep mail waiting; a connection is given up. */
  private static final int ANSWER_SECONDS = 60;

  static final String DIALECT = "postgresql";

  /** A look at all old mail may take its time. */
  private static final int UPKEEP_SECONDS = 660;

  private static final long RARE_IDLE_MILLIS = 10_000;
  private static final String UNHURRIED = "; SET statement_timeout = 600000";

  private static final int MOST_IDLE_SECONDS = 15;

  /**
   * A node that stands still in a transaction gives its locks back before others could have its
   * lease. And no statement of ours is so long that machine code for it pays: one that looks into
   * all partitions would take 160 ms more.
   */
  static String bounded(int leaseSeconds) {
    return "SET idle_in_transaction_session_timeout = %d; SET statement_timeout = 45000;"
            .formatted(Math.min(leaseSeconds, MOST_IDLE_SECONDS) * 1000)
        + " SET synchronous_commit = on; SET jit = off;"
        + " SET default_transaction_isolation = 'read committed'";
  }

  /**
   * A plan for any rows finds the partition of each as it runs; to plan anew takes longer than the
   * change itself. What is recorded is found by key, in tables without statistics too.
   */
  static final String PLANNED_ONCE =
      "; SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off;"
          + " SET enable_mergejoin = off; SET enable_seqscan = off";

  private final Path home;
  private final DatabaseClock clock;
  private final List<PostgresSource> sources = new ArrayList<>();
  private final GuardedPool commits;
  private final GuardedPool aside;
  private final GuardedPool writer;
  private final GuardedPool reader;
  private final GuardedPool upkeep;

  /**
   * Opens and migrates.
   *
   * @throws UnusableStoreException it does not answer, is too old, or cannot be migrated
   */
  PostgresDatabase(PostgresUrl url, Path home, DatabaseClock clock, int leaseSeconds) {
    super(DIALECT, clock);
    this.home = home;
    this.clock = clock;
    try {
      try (Connection connection = source(url, ANSWER_SECONDS).getConnection()) {
        PostgresRefusal.checkVersion(url, connection);
      }
      migrate(source(url, 0), DIALECT);
      String bounded = bounded(leaseSeconds);
      commits =
          pool(
              config(
                  "commits",
                  url,
                  COMMIT_SECONDS,
                  COMMITS,
                  bounded + PLANNED_ONCE,
                  COMMIT_BORROW_MILLIS));
      aside = pool(config("aside", url, ANSWER_SECONDS, ASIDE, bounded, BORROW_MILLIS));
      writer = pool(config("writer", url, ANSWER_SECONDS, WRITERS, bounded, BORROW_MILLIS));
      reader = pool(config("reader", url, ANSWER_SECONDS, READERS, bounded, BORROW_MILLIS));
      HikariConfig rare =
          config("upkeep", url, UPKEEP_SECONDS, UPKEEP, bounded + UNHURRIED, BORROW_MILLIS);
      rare.setMinimumIdle(0);
      rare.setIdleTimeout(RARE_IDLE_MILLIS);
      upkeep = pool(rare);
      setClock();
      health().whenAway(this::sever);
    } catch (SQLException | RuntimeException e) {
      throw PostgresRefusal.of(url, e);
    }
  }

  private GuardedPool pool(HikariConfig config) {
    return new GuardedPool(config, health());
  }

  private HikariConfig config(
      String name,
      PostgresUrl url,
      int answerSeconds,
      int size,
      String initially,
      long borrowMillis) {
    PostgresSource source = source(url, answerSeconds);
    sources.add(source);
    HikariConfig config = pool(name, source, size, initially, borrowMillis);
    config.setValidationTimeout(ALIVE_MILLIS);
    return config;
  }

  /**
   * @param answerSeconds until an answer has to be there; 0: as long as it takes
   */
  static PostgresSource source(PostgresUrl url, int answerSeconds) {
    PostgresSource source = new PostgresSource(LOGIN_SECONDS);
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
    // rounds without parameters, too, are planned once a connection
    source.setPreferQueryMode(PreferQueryMode.EXTENDED_CACHE_EVERYTHING);
    source.setStringType("unspecified"); // as SQLite: a text that is a number serves as one
    return source;
  }

  /** Where one connection has no answer in time, the others would only wait longer for theirs. */
  private void sever(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof SocketTimeoutException
        || cause instanceof SQLTransientConnectionException) {
      sources.forEach(PostgresSource::sever);
    }
  }

  @Override
  void look(boolean well) throws SQLException {
    try (Connection connection = commits.look()) {
      if (well) {
        try (Statement statement = connection.createStatement()) {
          statement.execute("SELECT 1");
        }
      } else {
        touch(connection);
      }
    }
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
  public DataSource aside() {
    return aside;
  }

  @Override
  public int patienceSeconds() {
    return PATIENCE_SECONDS;
  }

  /** One connection, which is there only while it is used. */
  @Override
  public DataSource upkeep() {
    return upkeep;
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
    upkeep.close();
    reader.close();
    writer.close();
    aside.close();
    commits.close();
  }
}
