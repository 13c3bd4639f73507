package io.caravan.mailproxy.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatabaseTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir Path home;

  @Test
  void a_store_that_is_not_built_in_is_refused_without_its_password() {
    assertThatThrownBy(
            () ->
                new Database(
                    home.toString(), "postgresql://me:secret@host/db", InstantSource.system()))
        .hasMessageContaining("GMP_DB_PATH")
        .hasMessageNotContaining("secret");
    assertThat(home).isEmptyDirectory();
  }

  @Test
  void only_its_owner_reads_the_file() throws Exception {
    try (Database database = new Database(home.toString(), "mail.db", InstantSource.system())) {
      database.ping();
      for (String name : new String[] {"mail.db", "mail.db-wal"}) {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve(name))))
            .as(name)
            .isEqualTo("rw-------");
      }
    }
  }

  @Test
  void what_is_committed_is_carried_into_the_file_and_the_log_begins_anew() throws Exception {
    long piece = 4L << 20;
    try (Database database = new Database(home.toString(), "mail.db", InstantSource.system())) {
      write(database, "CREATE TABLE piece (data BLOB)");
      Path log = home.resolve("mail.db-wal");
      long before = 0;
      for (int i = 0; i < 250 && Files.size(log) > before; i++) { // until it no longer grows
        before = Files.size(log);
        write(database, "INSERT INTO piece VALUES (randomblob(" + piece + "))");
      }
      long size = Files.size(log);
      assertThat(size).isLessThan(240 * piece);
      await().atMost(SOON).until(() -> Files.size(home.resolve("mail.db")) > size);
    }
  }

  private static void write(Database database, String sql) throws SQLException {
    try (Connection connection = database.writer().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
