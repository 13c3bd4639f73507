package io.caravan.mailproxy.db;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.sqlite.SQLiteDataSource;

/** Whether a commit in a folder is on disk when it returns. */
public final class Durability {
  /** {@code PRAGMA synchronous}: FULL. */
  private static final int FULL = 2;

  private Durability() {}

  /**
   * Opens and writes an empty database of its own there, as the proxy would, and deletes it.
   *
   * @return its journal mode
   * @throws IOException it cannot be written, or not so that a commit lasts; the message says why
   */
  public static String of(Path folder) throws IOException {
    Path file = Files.createTempFile(folder, ".check-", ".db");
    SQLiteDataSource source = new SQLiteDataSource(SqliteDatabase.config());
    source.setUrl("jdbc:sqlite:" + file);
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE t (x INTEGER)");
      int synchronous = Integer.parseInt(asked(statement, "PRAGMA synchronous"));
      String journal = asked(statement, "PRAGMA journal_mode");
      if (synchronous != FULL || !journal.equals("wal")) {
        throw new IOException("synchronous is " + synchronous + ", journal_mode is " + journal);
      }
      return journal;
    } catch (SQLException e) {
      throw new IOException(e.getMessage(), e);
    } finally {
      for (String suffix : new String[] {"", "-wal", "-shm"}) {
        Files.deleteIfExists(file.resolveSibling(file.getFileName() + suffix));
      }
    }
  }

  private static String asked(Statement statement, String pragma) throws SQLException {
    try (ResultSet row = statement.executeQuery(pragma)) {
      row.next();
      return row.getString(1);
    }
  }
}
