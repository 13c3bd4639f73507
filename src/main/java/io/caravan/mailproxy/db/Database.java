package io.caravan.mailproxy.db;

import com.zaxxer.hikari.HikariConfig;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.exception.FlywayValidateException;
import org.jspecify.annotations.Nullable;

/**
 * The store: an SQLite file that belongs to this process, or a PostgreSQL database that any number
 * of nodes share. Migrated at opening; a commit is on disk when it returns.
 */
public abstract class Database implements AutoCloseable {
  private final Sql sql;
  private final StoreHealth health = new StoreHealth();
  private final InstantSource clock;

  /**
   * @param dialect folder of its statements
   * @param clock what {@code now_ms()} says in statements
   */
  Database(String dialect, InstantSource clock) {
    this.sql = new Sql(dialect);
    this.clock = clock;
  }

  /**
   * Opens the store that {@code db.path} names.
   *
   * @param home folder from which a relative path starts
   * @param path an SQLite file, or {@code postgresql://user:password@host:port/database}
   * @param clock the clock of an SQLite file; PostgreSQL has its own, and this one is what counts
   *     the time between two looks at it
   * @param leaseSeconds how long a node's lease holds where there are others, 2 and more
   * @throws UnusableStoreException it cannot be opened or migrated
   */
  public static Database of(String home, String path, InstantSource clock, int leaseSeconds) {
    if (PostgresUrl.is(path)) {
      return new PostgresDatabase(
          PostgresUrl.parse(path), Path.of(home), new DatabaseClock(clock), leaseSeconds);
    }
    if (path.contains("://")) {
      throw new UnusableStoreException(
          "db.path (GMP_DB_PATH) must be the path of an SQLite file or begin with postgresql://");
    }
    return new SqliteDatabase(Path.of(home).resolve(path), clock);
  }

  /** For statements that change something. */
  public abstract DataSource writer();

  /** For statements that only read; never waits for a writer. */
  public abstract DataSource reader();

  /** For the changes that are grouped in one transaction; a connection of its own, where it can. */
  public abstract DataSource commits();

  /** For changes that may have to wait for other nodes; {@link #commits} where there are none. */
  public abstract DataSource aside();

  /** For rare work on whole tables, however long it takes; {@link #writer} where there is none. */
  public DataSource upkeep() {
    return writer();
  }

  /** So long a change waits for its turn before who asked for it is told that this is too slow. */
  public int patienceSeconds() {
    return 5;
  }

  /** A file of this process that goes with the store. */
  public abstract Path beside(String suffix);

  /** Where a key is made when none is set; {@code null}: one has to be set. */
  abstract @Nullable Path keyFile();

  /** Whether other processes may work with it at the same time. */
  public boolean isShared() {
    return false;
  }

  /** The statements of this store's dialect. */
  public final Sql sql() {
    return sql;
  }

  /** Whether it can be worked with now. */
  public final StoreHealth health() {
    return health;
  }

  /** What {@code now_ms()} says in statements, without asking it. */
  public final InstantSource clock() {
    return clock;
  }

  /** Looks at the database's clock again, where it is not this machine's. */
  public void setClock() throws SQLException {}

  /** {@link #clock} as a factory for the wiring map. */
  public static InstantSource clockOf(Database database) {
    return database.clock();
  }

  /** {@link #writer} as a factory for the wiring map. */
  public static DataSource writerOf(Database database) {
    return database.writer();
  }

  /** {@link #reader} as a factory for the wiring map. */
  public static DataSource readerOf(Database database) {
    return database.reader();
  }

  /** {@link #upkeep} as a factory for the wiring map. */
  public static DataSource upkeepOf(Database database) {
    return database.upkeep();
  }

  /** {@link #health} as a factory for the wiring map. */
  public static StoreHealth healthOf(Database database) {
    return database.health();
  }

  /** {@link #sql} as a factory for the wiring map. */
  public static Sql sqlOf(Database database) {
    return database.sql();
  }

  /** Looks whether the store is there, and whether one that was not takes something again. */
  public final void watch() {
    try {
      look(health.isWell());
      health.answered();
    } catch (SQLException e) {
      health.met(e);
    }
  }

  /**
   * A round trip, and a small write where something was wrong.
   *
   * @param well whether nothing was wrong so far
   */
  abstract void look(boolean well) throws SQLException;

  /** Writes a row that says nothing. */
  final void touch(Connection connection) throws SQLException {
    try (var statement = connection.prepareStatement(sql.load("touch-probe"))) {
      statement.setLong(1, 0);
      statement.setLong(2, clock.millis());
      statement.executeUpdate();
    }
  }

  /** A round trip to the store. */
  public final void ping() throws SQLException {
    try (Connection connection = reader().getConnection();
        var statement = connection.createStatement()) {
      statement.execute("SELECT 1");
    }
  }

  /**
   * All rows of a query, by column name; for small tables.
   *
   * @param values in the order in which the statement names them
   */
  public final List<Map<String, Object>> rows(String name, String... values) {
    try (Connection connection = reader().getConnection();
        var statement = connection.prepareStatement(sql.load(name).replaceAll(":\\?\\w+", "?"))) {
      for (int i = 0; i < values.length; i++) {
        statement.setString(i + 1, values[i]);
      }
      return rows(statement.executeQuery());
    } catch (SQLException e) {
      throw new IllegalStateException("statement " + name + " failed", e);
    }
  }

  private static List<Map<String, Object>> rows(ResultSet answer) throws SQLException {
    try (ResultSet rows = answer) {
      List<Map<String, Object>> all = new ArrayList<>();
      while (rows.next()) {
        Map<String, Object> row = new HashMap<>();
        for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
          row.put(rows.getMetaData().getColumnLabel(i), rows.getObject(i));
        }
        all.add(row);
      }
      return all;
    }
  }

  @Override
  public abstract void close();

  static HikariConfig pool(
      String name, DataSource source, int size, String initially, long borrowMillis) {
    HikariConfig config = new HikariConfig();
    config.setPoolName(name);
    config.setDataSource(source);
    config.setMaximumPoolSize(size);
    config.setConnectionTimeout(borrowMillis);
    config.setMaxLifetime(0);
    config.setIdleTimeout(0);
    config.setConnectionInitSql(initially);
    return config;
  }

  /**
   * Brings the schema to this version; several processes may do so at once.
   *
   * @throws org.flywaydb.core.api.FlywayException it fails, or the schema is that of a later
   *     version
   */
  static void migrate(DataSource source, String dialect) {
    flyway(source, dialect).migrate();
  }

  /**
   * Looks at the schema, and changes nothing.
   *
   * @throws org.flywaydb.core.api.FlywayException it cannot be read, or is that of a later version
   */
  static void validate(DataSource source, String dialect) {
    flyway(source, dialect, "*:pending").validate();
  }

  /** Nothing is ignored of a later version either: what it holds is not known here. */
  private static Flyway flyway(DataSource source, String dialect, String... ignored) {
    return Flyway.configure()
        .dataSource(source)
        .locations("classpath:db/migration/" + dialect)
        .failOnMissingLocations(true)
        .ignoreMigrationPatterns(ignored)
        .load();
  }

  /** Why it cannot be used, for who started the product. */
  static String reason(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof FlywayValidateException) {
        return "its schema is of a later version of this product, or was changed by hand";
      }
    }
    return rootMessage(failure);
  }

  static String rootMessage(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause instanceof SQLException
        ? String.valueOf(cause.getMessage())
        : cause.getClass().getSimpleName() + ": " + cause.getMessage();
  }
}
