package io.caravan.mailproxy.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatabaseTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir Path home;

  @Test
  void a_store_that_cannot_be_used_is_refused_without_its_password() {
    for (String path :
        List.of(
            "postgresql://me:secret@127.0.0.1:1/db",
            "postgresql://me:secret@no-such-host.invalid/db?sslmode=require",
            "postgresql://me:sec/ret@host/db",
            "postgresql://me:secret@host",
            "postgresql://me@host/db?password=secret",
            "postgresql://me@host/db?sslmode=require&PASSWORD=secret",
            "postgresql://me:secret%@host/db",
            "mysql://me:secret@host/db")) {
      assertThatThrownBy(() -> Database.of(home.toString(), path, InstantSource.system(), 60))
          .as(path)
          .hasMessageContaining("GMP_DB_PATH")
          .satisfies(
              e ->
                  assertThat(org.assertj.core.util.Throwables.getStackTrace(e))
                      .doesNotContain("secret")
                      .doesNotContain("ret@"));
    }
    assertThat(home).isEmptyDirectory();
  }

  @Test
  void only_its_owner_reads_the_file() throws Exception {
    try (Database database = Database.of(home.toString(), "mail.db", InstantSource.system(), 60)) {
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
    try (Database database = Database.of(home.toString(), "mail.db", InstantSource.system(), 60)) {
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

  @Test
  void rows_of_an_earlier_version_get_the_tenant_of_their_message() throws Exception {
    Path file = home.resolve("mail.db");
    Flyway.configure()
        .dataSource("jdbc:sqlite:" + file, null, null)
        .locations("classpath:db/migration/sqlite")
        .target("8")
        .load()
        .migrate();
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      statement.executeUpdate(
          """
          INSERT INTO message (pk, tenant_id, id, account_id, priority, created_at, payload)
          VALUES (1024, 'acme', 'm', 'a', 2, 1, '{}'), (2048, 'other', 'm', 'a', 2, 1, '{}')
          """);
      statement.executeUpdate(
          """
          INSERT INTO queue (pk, message_pk, account_pk, state, priority, due_at, lease_epoch, accepted_at, bytes)
          VALUES (1024, 1024, 1, 'due', 2, 1, 1, 1, 2), (1025, 1024, 1, 'due', 2, 1, 1, 1, 2),
                 (2048, 2048, 2, 'held', 2, 1, 1, 1, 2)
          """);
      statement.executeUpdate(
          """
          INSERT INTO recipient (message_pk, position, delivery_pk, address, state, changed_at)
          VALUES (1024, 0, 1024, 'a@a.test', 'sent', 1), (1024, 1, 1025, 'b@b.test', 'pending', 1),
                 (2048, 0, 2048, 'c@c.test', 'pending', 1)
          """);
    }

    try (Database database = Database.of(home.toString(), "mail.db", InstantSource.system(), 60);
        Connection connection = database.reader().getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                """
                SELECT (SELECT group_concat(pk || ' ' || tenant_id) FROM queue),
                       (SELECT group_concat(address || ' ' || tenant_id) FROM recipient)
                """)) {
      assertThat(rows.next()).isTrue();
      assertThat(rows.getString(1)).isEqualTo("1024 acme,1025 acme,2048 other");
      assertThat(rows.getString(2)).isEqualTo("a@a.test acme,b@b.test acme,c@c.test other");
    }
  }

  private static void write(Database database, String sql) throws SQLException {
    try (Connection connection = database.writer().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
