package io.caravan.mailproxy.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.caravan.mailproxy.secret.KeySettings;
import io.caravan.mailproxy.secret.Place;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store of the version before secrets were sealed, opened by this one. */
class StoredSecretsTest {
  private static final String INSERT =
      "INSERT INTO account (tenant_id, id, type, host, port, user, password, imap_password, ttl,"
          + " limit_behavior, max_connections, max_messages_per_connection, created_at, updated_at)"
          + " VALUES ('acme', '%s', 'relay', 'h', 25, 'control-user', '%s', %s, 300, 'defer', 10, 0,"
          + " 0, 0)";

  /** Each holds this; the longer ones do not fit a page. */
  private static final String CANARY = "s3cr3t-canary";

  private static final Map<Place, String> SECRETS =
      Map.of(
          Place.password("acme", "a"), "v1:k:" + CANARY,
          Place.password("acme", "b"), "ENC:" + CANARY + "x".repeat(20_000),
          Place.imapPassword("acme", "b"), CANARY + "-imap",
          Place.clientAuth("acme"), "{\"method\":\"bearer\",\"token\":\"" + CANARY + "\"}");

  @TempDir Path home;
  @TempDir Path before;

  /** As a kill left it: some of it in the file, some in the log only. */
  @BeforeEach
  void fillAsAnEarlierVersionDid() throws Exception {
    Path file = before.resolve("mail.db");
    Flyway.configure()
        .dataSource("jdbc:sqlite:" + file, null, null)
        .locations("classpath:db/migration/sqlite")
        .target("4")
        .load()
        .migrate();
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file)) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("PRAGMA journal_mode = WAL");
        statement.execute(INSERT.formatted("gone", CANARY + "y".repeat(30_000), "NULL"));
        statement.execute("DELETE FROM account");
        statement.execute(INSERT.formatted("a", CANARY + "-replaced", "NULL"));
        statement.execute("PRAGMA wal_checkpoint(TRUNCATE)");
        statement.execute("DELETE FROM account");
        for (Map.Entry<Place, String> secret : SECRETS.entrySet()) {
          if (secret.getKey().column().equals("password")) {
            String id = secret.getKey().rowId();
            String imap = SECRETS.get(Place.imapPassword("acme", id));
            statement.execute(
                INSERT.formatted(id, secret.getValue(), imap == null ? "NULL" : "'" + imap + "'"));
          }
        }
        statement.execute(INSERT.formatted("none", "", "NULL").replace("''", "NULL"));
        statement.execute(
            "INSERT INTO tenant (id, client_auth, created_at, updated_at) VALUES ('acme', '"
                + SECRETS.get(Place.clientAuth("acme"))
                + "', 0, 0), ('other', NULL, 0, 0)");
      }
      for (String name : new String[] {"mail.db", "mail.db-wal"}) {
        Files.copy(before.resolve(name), home.resolve(name));
      }
    }
    assertThat(found(CANARY)).containsExactlyInAnyOrder("mail.db", "mail.db-wal");
  }

  /** Blank: the key beside the database. */
  private KeySettings settings(String keys) throws IOException {
    KeySettings settings = new KeySettings();
    if (!keys.isBlank()) {
      settings.setKeyFile(Files.writeString(before.resolve("keys"), keys).toString());
    }
    return settings;
  }

  private Database open() {
    return Database.of(home.toString(), "mail.db", InstantSource.system(), 60);
  }

  /** Files that hold a text. */
  private List<String> found(String text) throws IOException {
    List<String> found = new ArrayList<>();
    for (String name : new String[] {"mail.db", "mail.db-wal"}) {
      Path file = home.resolve(name);
      if (Files.exists(file)
          && Files.readString(file, StandardCharsets.ISO_8859_1).contains(text)) {
        found.add(name);
      }
    }
    return found;
  }

  private static Map<Place, String> stored(Database database) {
    Map<Place, String> stored = new HashMap<>();
    for (Row row : Row.all(database.rows("secrets"))) {
      Place place =
          new Place(
              row.text("owner"), row.text("tenant_id"), row.text("row_id"), row.text("place"));
      stored.put(place, row.text("value"));
    }
    return stored;
  }

  private static void execute(Database database, String sql) throws SQLException {
    try (Connection connection = database.writer().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  @Test
  void plain_text_is_sealed_once_and_nothing_of_it_is_left_in_the_file() throws Exception {
    Map<Place, String> sealed;
    try (Database database = open()) {
      StoredSecrets secrets = new StoredSecrets(database, settings(""));
      sealed = stored(database);
      assertThat(sealed.keySet()).isEqualTo(SECRETS.keySet());
      for (Map.Entry<Place, String> secret : SECRETS.entrySet()) {
        assertThat(secrets.keyring().open(secret.getKey(), sealed.get(secret.getKey())))
            .isEqualTo(secret.getValue());
      }
      assertThat(found("control-user")).as("the search finds what is there").isNotEmpty();
      assertThat(found(CANARY)).isEmpty();
    }
    try (Database database = open()) {
      StoredSecrets again = new StoredSecrets(database, settings(""));
      assertThat(stored(database)).isEqualTo(sealed);
      assertThat(again.rotate()).containsEntry("rotated", 0).containsEntry("left", 0);
    }
    assertThat(found(CANARY)).isEmpty();
  }

  @Test
  void a_start_that_broke_off_between_sealing_and_rewriting_is_gone_on_with() throws Exception {
    Map<Place, String> sealed;
    try (Database database = open()) {
      new StoredSecrets(database, settings(""));
      sealed = stored(database);
      execute(database, INSERT.formatted("gone", CANARY, "NULL"));
      execute(database, "DELETE FROM account WHERE id = 'gone'");
      execute(database, "UPDATE secret_storage SET state = 'sealed'");
    }
    assertThat(found(CANARY)).as("the database drops a row, not its bytes").isNotEmpty();
    try (Database database = open()) {
      new StoredSecrets(database, settings(""));
      assertThat(stored(database)).isEqualTo(sealed);
      assertThat(found(CANARY)).isEmpty();
    }
  }

  @Test
  void without_the_key_file_no_other_is_made() throws Exception {
    try (Database database = open()) {
      new StoredSecrets(database, settings(""));
      Map<Place, String> sealed = stored(database);
      Path key = home.resolve("mail.db.key");
      Files.move(key, before.resolve("kept"));

      assertThatThrownBy(() -> new StoredSecrets(database, settings("")))
          .hasMessageContaining(key + " is gone");
      assertThat(key).doesNotExist();
      assertThat(stored(database)).isEqualTo(sealed);
    }
  }

  @Test
  void rotation_seals_what_opens_with_the_first_key_and_leaves_the_rest() throws Exception {
    String one = "a:" + "A".repeat(43) + "=";
    String two = "b:" + "B".repeat(42) + "A=";
    try (Database database = open()) {
      new StoredSecrets(database, settings(one));
      Map<Place, String> sealed = stored(database);
      execute(database, "UPDATE account SET password = 'v1:k:plain' WHERE id = 'a'");

      StoredSecrets both = new StoredSecrets(database, settings(two + "," + one));
      assertThat(both.rotate()).containsEntry("rotated", 3).containsEntry("left", 1);
      assertThat(both.rotate()).containsEntry("rotated", 0).containsEntry("left", 1);

      StoredSecrets second = new StoredSecrets(database, settings(two));
      Map<Place, String> now = stored(database);
      assertThat(now.remove(Place.password("acme", "a"))).isEqualTo("v1:k:plain");
      for (Map.Entry<Place, String> secret : now.entrySet()) {
        assertThat(secret.getValue()).startsWith("v1:b:").isNotEqualTo(sealed.get(secret.getKey()));
        assertThat(second.keyring().open(secret.getKey(), secret.getValue()))
            .isEqualTo(SECRETS.get(secret.getKey()));
      }
    }
  }
}
