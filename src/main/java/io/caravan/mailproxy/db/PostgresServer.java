package io.caravan.mailproxy.db;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.flywaydb.core.api.FlywayException;

/**
 * What a PostgreSQL database says of itself, asked as a start would connect; nothing is changed.
 *
 * @param address its URL without user, password and parameters
 * @param version of the server
 * @param encrypted whether the connection is under TLS
 * @param mayMigrate whether its user may make tables, or write to those that are there
 * @param lasts whether a commit is on disk when it returns
 * @param durability the settings that make it so
 * @param aheadMillis how far its clock is ahead of this machine's
 * @param connections how many there are
 * @param maxConnections how many there may be
 */
public record PostgresServer(
    String address,
    String version,
    boolean encrypted,
    boolean mayMigrate,
    boolean lasts,
    String durability,
    long aheadMillis,
    int connections,
    int maxConnections) {

  private static final String QUESTION =
      """
      SELECT current_setting('server_version') AS version,
        coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted,
        coalesce(has_table_privilege(to_regclass('node'), 'INSERT'), has_schema_privilege(current_schema(), 'CREATE'),
          false) AS may_migrate,
        current_setting('fsync') AS fsync,
        current_setting('full_page_writes') AS full_page_writes,
        current_setting('synchronous_commit') AS synchronous_commit,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,
        (SELECT sum(numbackends) FROM pg_stat_database) AS connections,
        current_setting('max_connections')::integer AS max_connections
      """;

  /** Whether {@code db.path} names one. */
  public static boolean is(String path) {
    return PostgresUrl.is(path);
  }

  /**
   * Says whether {@code db.path} can be read; it is not connected to.
   *
   * @throws UnusableStoreException it cannot
   */
  public static void check(String path) {
    PostgresUrl.parse(path);
  }

  /**
   * Asks it.
   *
   * @throws UnusableStoreException a start would be refused by it
   */
  public static PostgresServer at(String path) {
    PostgresUrl url = PostgresUrl.parse(path);
    DataSource source = PostgresDatabase.source(url, PostgresDatabase.CONNECT_SECONDS);
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      PostgresRefusal.checkVersion(url, connection);
      Database.validate(source, PostgresDatabase.DIALECT);
      statement.execute(PostgresDatabase.bounded(PostgresDatabase.CONNECT_SECONDS));
      statement.execute("SELECT 1"); // the first answer takes longer
      long before = System.currentTimeMillis();
      try (ResultSet row = statement.executeQuery(QUESTION)) {
        long here = (before + System.currentTimeMillis()) / 2;
        row.next();
        String fsync = row.getString("fsync");
        String pages = row.getString("full_page_writes");
        String synchronous = row.getString("synchronous_commit");
        return new PostgresServer(
            url.toString(),
            row.getString("version"),
            row.getBoolean("encrypted"),
            row.getBoolean("may_migrate"),
            fsync.equals("on") && pages.equals("on") && synchronous.equals("on"),
            "fsync %s, full_page_writes %s, synchronous_commit %s"
                .formatted(fsync, pages, synchronous),
            row.getLong("now") - here,
            row.getInt("connections"),
            row.getInt("max_connections"));
      }
    } catch (SQLException | FlywayException e) {
      throw PostgresRefusal.of(url, e);
    }
  }
}
