package io.caravan.mailproxy.db;

import java.net.SocketTimeoutException;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import org.jspecify.annotations.Nullable;

/** Why a store did not do what it was asked for, where that was not the statement's fault. */
public enum StoreFault {
  /** It cannot be reached, is starting or ending, takes too long, or its disk fails. */
  UNAVAILABLE("store_unavailable"),
  /** Its disk is full. */
  FULL("storage_full");

  private static final int SQLITE_BUSY = 5;
  private static final int SQLITE_IOERR = 10;
  private static final int SQLITE_FULL = 13;
  private static final int SQLITE_CANTOPEN = 14;
  private static final String PG_DISK_FULL = "53100";
  private static final String PG_CANCELED = "57014";
  private static final String PG_READ_ONLY = "25006";
  private static final String PG_IDLE_TOO_LONG = "25P03";
  private static final String PG_IO_ERROR = "58030";

  private final String code;

  StoreFault(String code) {
    this.code = code;
  }

  /** What programs tell it by. */
  public String code() {
    return code;
  }

  /**
   * Looks at a failure and at its causes.
   *
   * @return {@code null}: the store is not to blame
   */
  public static @Nullable StoreFault of(@Nullable Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      StoreFault fault = cause instanceof SQLException sql ? of(sql) : null;
      if (fault != null) {
        return fault;
      }
    }
    return null;
  }

  /**
   * Whether a connection was found broken, as after a restart of the server: another one may do.
   */
  public static boolean isBroken(@Nullable Throwable failure) {
    return failure instanceof SQLException sql
        && sql.getSQLState() != null
        && (sql.getSQLState().startsWith("08") || sql.getSQLState().startsWith("57P"))
        && !(sql.getCause() instanceof SocketTimeoutException);
  }

  /** Whether another transaction was in the way on a store that works, so that the same will do. */
  public static boolean isInTheWay(@Nullable Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException sql
          && sql.getSQLState() != null
          && sql.getSQLState().startsWith("40")) {
        return true;
      }
    }
    return false;
  }

  private static @Nullable StoreFault of(SQLException failure) {
    if (failure instanceof SQLTransientConnectionException
        || failure instanceof SQLTimeoutException) {
      return UNAVAILABLE;
    }
    String state = failure.getSQLState();
    return state == null ? ofSqlite(failure.getErrorCode()) : ofPostgres(state);
  }

  private static @Nullable StoreFault ofSqlite(int code) {
    return switch (code) {
      case SQLITE_FULL -> FULL;
      case SQLITE_BUSY, SQLITE_IOERR, SQLITE_CANTOPEN -> UNAVAILABLE;
      default -> null;
    };
  }

  /** Classes of PostgreSQL's appendix A: 08 connection, 53 resources, 57P operator. */
  private static @Nullable StoreFault ofPostgres(String state) {
    if (state.equals(PG_DISK_FULL)) {
      return FULL;
    }
    boolean away =
        state.startsWith("08")
            || state.startsWith("53")
            || state.startsWith("57P")
            || state.equals(PG_CANCELED)
            || state.equals(PG_READ_ONLY)
            || state.equals(PG_IDLE_TOO_LONG)
            || state.equals(PG_IO_ERROR);
    return away ? UNAVAILABLE : null;
  }
}
