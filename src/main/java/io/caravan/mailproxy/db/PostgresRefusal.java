package io.caravan.mailproxy.db;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Why a PostgreSQL database cannot be used, and what to do, in one line. */
final class PostgresRefusal {
  /** The oldest that is tested; what it lacks is found at the start and not at night. */
  static final int OLDEST = 14;

  private PostgresRefusal() {}

  /**
   * Refuses a server that is too old.
   *
   * @throws UnusableStoreException it is
   */
  static void checkVersion(PostgresUrl url, Connection connection) throws SQLException {
    if (connection.getMetaData().getDatabaseMajorVersion() < OLDEST) {
      throw new UnusableStoreException(
          "database %s (GMP_DB_PATH) is PostgreSQL %s, it must be %d or later"
              .formatted(url, connection.getMetaData().getDatabaseProductVersion(), OLDEST));
    }
  }

  /** What a start says of a failure. */
  static UnusableStoreException of(PostgresUrl url, Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnusableStoreException known) {
        return known;
      }
    }
    SQLException last = lastOf(failure);
    String said = Database.reason(failure).lines().findFirst().orElse("").strip();
    String hint = last == null ? "" : hint(last);
    return new UnusableStoreException(
        "database " + url + " (GMP_DB_PATH) cannot be used: " + said + hint, failure);
  }

  private static @Nullable SQLException lastOf(Throwable failure) {
    SQLException last = null;
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException e) {
        last = e;
      }
    }
    return last;
  }

  /** By the error's code (PostgreSQL, appendix A). */
  private static String hint(SQLException e) {
    String state = String.valueOf(e.getSQLState());
    return switch (state) {
      case "28P01", "28000", "08004" ->
          "; see to user and password, their @ : / % as %40 %3A %2F %25, and to sslmode";
      case "3D000" -> "; CREATE DATABASE makes it";
      case "42501", "3F000" ->
          "; its user has to own the schema, or GRANT CREATE ON SCHEMA public TO it";
      case "25006" -> "; it is a standby: name the primary, or targetServerType=primary";
      case "53300" -> "; each node takes up to " + PostgresDatabase.CONNECTIONS + " connections";
      default ->
          state.startsWith("08") ? "; see to host, port, sslmode and the firewalls on the way" : "";
    };
  }
}
