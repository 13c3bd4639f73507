package io.caravan.mailproxy.db;

import io.caravan.mailproxy.secret.KeySettings;
import io.caravan.mailproxy.secret.Keyring;
import io.caravan.mailproxy.secret.LockedException;
import io.caravan.mailproxy.secret.Place;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The columns that hold secrets, sealed. What an earlier version stored in plain text is sealed at
 * opening, once: table {@code secret_storage} says how far that came, no value is guessed by its
 * looks. Each step is one transaction, so a start that broke off is gone on with by the next.
 */
public final class StoredSecrets {
  private static final Logger LOG = LoggerFactory.getLogger(StoredSecrets.class);

  /** As an earlier version left them. */
  private static final String PLAIN = "plain";

  /** Sealed, while free pages of the file may hold what stood there before. */
  private static final String SEALED = "sealed";

  private static final String CLEAN = "clean";

  private static final long LOG_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long LOG_PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(5);

  private final Database database;
  private final Keyring keyring;

  /** A value and where it stands. */
  private record Stored(Place place, String value) {
    @Override
    public String toString() {
      return place.toString();
    }
  }

  /** A change of one value. */
  private interface Change {
    /** The value to stand there from now on; the same: it stays. */
    String of(Stored stored);
  }

  /**
   * Loads the keys and seals what is not.
   *
   * @throws IllegalStateException the keys cannot be used, or there is none for what is sealed
   */
  public StoredSecrets(Database database, KeySettings settings) {
    this.database = database;
    String state = String.valueOf(database.rows("secret-storage").get(0).get("state"));
    boolean anySealed = !state.equals(PLAIN) && !database.rows("secrets").isEmpty();
    this.keyring = settings.load(database.keyFile(), !anySealed);
    if (state.equals(PLAIN)) {
      int sealed = change(stored -> keyring.seal(stored.place(), stored.value()), SEALED);
      LOG.info("Sealed {} passwords and tokens that stood in plain text", sealed);
    }
    if (!state.equals(CLEAN)) {
      rewrite();
    }
  }

  /** The keys. */
  public Keyring keyring() {
    return keyring;
  }

  /** {@link #keyring} as a factory for the wiring map. */
  public static Keyring keyringOf(StoredSecrets secrets) {
    return secrets.keyring();
  }

  /**
   * Seals with the first key what is sealed with another one, and leaves what no key opens as it
   * is.
   *
   * @return the answer of {@code POST /keys/rotate}: how many were sealed anew, how many are left
   */
  public Map<String, Object> rotate() {
    int[] left = new int[1];
    int rotated =
        change(
            stored -> {
              try {
                String plain = keyring.open(stored.place(), stored.value());
                return keyring.isOfFirst(stored.value())
                    ? stored.value()
                    : keyring.seal(stored.place(), plain);
              } catch (LockedException e) {
                left[0]++;
                return stored.value();
              }
            },
            null);
    LOG.info("Sealed {} passwords and tokens with the first key, {} left", rotated, left[0]);
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.put("rotated", rotated);
    answer.put("left", left[0]);
    return answer;
  }

  /** How many values changed; all of them do, or none. */
  private int change(Change change, @Nullable String state) {
    try (Connection connection = database.writer().getConnection()) {
      connection.setAutoCommit(false);
      try {
        int changed = 0;
        for (Stored stored : all(connection)) {
          String value = change.of(stored);
          if (!value.equals(stored.value())) {
            put(connection, stored.place(), value);
            changed++;
          }
        }
        if (state != null) {
          put(connection, state);
        }
        connection.commit();
        return changed;
      } finally {
        connection.rollback(); // of nothing, once committed
        connection.setAutoCommit(true);
      }
    } catch (SQLException e) {
      throw new IllegalStateException("secrets cannot be stored: " + e.getMessage(), e);
    }
  }

  private List<Stored> all(Connection connection) throws SQLException {
    List<Stored> all = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(database.sql().load("secrets"))) {
      while (row.next()) {
        all.add(
            new Stored(
                new Place(
                    row.getString("owner"),
                    row.getString("tenant_id"),
                    row.getString("row_id"),
                    row.getString("place")),
                row.getString("value")));
      }
    }
    return all;
  }

  private void put(Connection connection, Place place, String value) throws SQLException {
    String name = "put-" + place.table() + "-" + place.column().replace('_', '-');
    try (PreparedStatement statement = connection.prepareStatement(database.sql().load(name))) {
      statement.setString(1, value);
      statement.setString(2, place.tenantId());
      statement.setString(3, place.rowId());
      statement.executeUpdate();
    }
  }

  private void put(Connection connection, String state) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(database.sql().load("put-secret-storage"))) {
      statement.setString(1, state);
      statement.executeUpdate();
    }
  }

  /**
   * Makes the file anew without its free pages, and empties the log. It takes the place of the file
   * twice, and some time where there is much mail; where it does not succeed, the next start tries
   * again.
   */
  private void rewrite() {
    LOG.info("Rewriting the database once, so that no earlier plain text stays in it");
    try (Connection connection = database.writer().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("VACUUM");
      long deadline = System.nanoTime() + LOG_PATIENCE_NANOS;
      while (!emptyLog(statement)) {
        if (System.nanoTime() > deadline) {
          throw new SQLException("its log is in use");
        }
        LockSupport.parkNanos(LOG_PAUSE_NANOS);
      }
      put(connection, CLEAN);
    } catch (SQLException e) {
      LOG.warn(
          "The database could not be rewritten, earlier passwords may still stand in it in plain"
              + " text; the next start tries again: {}",
          e.getMessage());
    }
  }

  /** Whether it could be: not while the {@link Checkpointer} is at it. */
  private static boolean emptyLog(Statement statement) throws SQLException {
    try (ResultSet row = statement.executeQuery("PRAGMA wal_checkpoint(TRUNCATE)")) {
      return row.next() && row.getInt(1) == 0;
    }
  }
}
