package io.caravan.mailproxy.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.ConfigurationException;
import io.caravan.mailproxy.MailProxy;
import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.endtoend.TestPorts;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.endtoend.TestStore;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What commands and a start say of a PostgreSQL database. The server asks for passwords and syncs,
 * as an operator's does.
 */
class PostgresCommandsTest {
  /** A password with all that a URL has to hide. */
  private static final String PASSWORD = "can@ry:/?%+ x";

  private static final String IN_URL = "can%40ry%3A%2F%3F%25+%20x";
  private static final String KEY = "A".repeat(43) + "=";

  private static EmbeddedPostgres server;
  private static int major;

  @TempDir Path home;

  @BeforeAll
  static void start() throws Exception {
    server =
        EmbeddedPostgres.builder()
            .setPort(TestPorts.next())
            .setServerConfig("fsync", "on")
            .setDataDirectoryCustomizer(PostgresCommandsTest::asksForPasswords)
            .setPGStartupWait(Duration.ofSeconds(60))
            .start();
    String password = " LOGIN PASSWORD '" + PASSWORD + "'";
    run(
        "postgres",
        "CREATE ROLE owner_of_it" + password,
        "CREATE ROLE writer_of_it" + password,
        "CREATE DATABASE mail OWNER owner_of_it",
        "CREATE DATABASE closed");
    run("closed", "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    run(
        "mail",
        "GRANT CREATE ON SCHEMA public TO owner_of_it",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "ALTER DEFAULT PRIVILEGES FOR ROLE owner_of_it"
            + " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO writer_of_it");
    try (Connection connection = connect("mail")) {
      major = connection.getMetaData().getDatabaseMajorVersion();
    }
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  private static void asksForPasswords(File data) {
    Path file = data.toPath().resolve("pg_hba.conf");
    try {
      Files.writeString(
          file, "host all owner_of_it,writer_of_it 127.0.0.1/32 md5\n" + Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Connection connect(String database) throws SQLException {
    return DriverManager.getConnection(server.getJdbcUrl("postgres", database));
  }

  private static void run(String database, String... statements) throws SQLException {
    try (Connection connection = connect(database);
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  private static String url(String user, String database) {
    return "postgresql://"
        + user
        + ":"
        + IN_URL
        + "@127.0.0.1:"
        + server.getPort()
        + "/"
        + database;
  }

  private Database open(String url) {
    return Database.of(home.toString(), url, InstantSource.system(), 60);
  }

  private CommandRun run(String path, Map<String, String> environment, String... args)
      throws Exception {
    Path file = Files.createDirectories(home.resolve("config")).resolve("application.properties");
    List<String> lines = Files.readAllLines(Path.of("config/application.properties"));
    lines.replaceAll(line -> line.startsWith("db.path=") ? "db.path=" + path : line);
    Files.write(file, lines);
    TestProxy.home(home);
    CommandRun.Shellful shell =
        CommandRun.with(Map.of("GMP_HOME", home.toString(), "GMP_URL", "http://127.0.0.1:1"));
    environment.forEach(shell::with);
    CommandRun run = shell.run(args);
    assertThat(run.out() + run.err()).doesNotContain(IN_URL, PASSWORD, "can@ry");
    return run;
  }

  @Test
  void a_server_that_is_too_old_is_refused() {
    if (major < 14) {
      assertThatThrownBy(() -> open(url("owner_of_it", "mail")))
          .hasMessageMatching("database .* is PostgreSQL " + major + ".*, it must be 14 or later");
    } else {
      open(url("owner_of_it", "mail")).close();
    }
  }

  @Test
  void a_start_that_is_refused_says_in_one_line_why_and_what_to_do() throws Exception {
    assertThatThrownBy(
            () ->
                MailProxy.start(
                    TestProxy.home(home),
                    Map.of("port", "0", "api.token", "t", "db.path", url("nobody", "mail"))))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageMatching(
            "database postgresql://127.0.0.1:\\d+/mail \\(GMP_DB_PATH\\) .*nobody.*");
    refused(
        url("owner_of_it", "mail").replace("x@", "y@"),
        "password authentication failed",
        "%40 %3A");
    refused(url("owner_of_it", "absent"), "\"absent\" does not exist", "CREATE DATABASE");
    refused(url("writer_of_it", "closed"), "permission denied for schema", "GRANT CREATE");
    refused(url("owner_of_it", "mail") + "?sslmode=require", "SSL", "sslmode");
    refused("postgresql://a:" + IN_URL + "@127.0.0.1:1/mail", "refused", "host, port");
    open(url("owner_of_it", "mail")).close();
    try {
      run("mail", "UPDATE flyway_schema_history SET version = '900' WHERE version = '012'");
      refused(url("owner_of_it", "mail"), "schema is of a later version");
    } finally {
      run("mail", "UPDATE flyway_schema_history SET version = '012' WHERE version = '900'");
    }
  }

  private void refused(String url, String... words) {
    assertThatThrownBy(() -> open(url))
        .hasMessageStartingWith("database postgresql://127.0.0.1:")
        .hasMessageContainingAll(words)
        .extracting(Throwable::getMessage)
        .asString()
        .hasLineCount(1)
        .doesNotContain("can@ry", "can%40");
  }

  @Test
  void once_the_tables_are_there_a_user_needs_no_more_than_their_rows() throws Exception {
    open(url("owner_of_it", "mail")).close();
    String several = url("writer_of_it", "mail").replace("@127", "@127.0.0.1:1,127");
    try (Database database = open(several + "?targetServerType=primary")) {
      database.ping();
      assertThat(database.rows("tenants")).isEmpty();
    }
  }

  @Test
  void the_doctor_asks_the_server() throws Exception {
    CommandRun well =
        run(url("owner_of_it", "mail"), Map.of("MAIL_PROXY_ENCRYPTION_KEY", KEY), "doctor");
    assertThat(well.out())
        .contains(
            "ok   database: postgresql://127.0.0.1:" + server.getPort() + "/mail, PostgreSQL ")
        .contains(", no TLS, ", "ok   commits: on disk when they return: fsync on")
        .contains("ok   clock: ", "the database's differs by ", "ok   disk: ")
        .contains("ok   encryption key: MAIL_PROXY_ENCRYPTION_KEY");

    run("postgres", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()");
    try (Connection connection = connect("postgres");
        Statement statement = connection.createStatement()) {
      await()
          .atMost(Duration.ofSeconds(20))
          .until(
              () -> {
                try (ResultSet row = statement.executeQuery("SHOW full_page_writes")) {
                  return row.next() && row.getString(1).equals("off");
                }
              });
    }
    CommandRun ill = run(url("writer_of_it", "closed"), Map.of(), "doctor");
    assertThat(ill.code()).isEqualTo(1);
    assertThat(ill.out())
        .contains(
            "BAD  database: ",
            "GRANT CREATE",
            "BAD  commits: may be lost: ",
            "full_page_writes off")
        .contains("BAD  encryption key: none", "all nodes need the same one");
    run("postgres", "ALTER SYSTEM RESET full_page_writes", "SELECT pg_reload_conf()");

    run(
        "postgres",
        "CREATE DATABASE read_only OWNER owner_of_it",
        "GRANT CONNECT ON DATABASE read_only TO writer_of_it");
    Database.of(home.toString(), url("owner_of_it", "read_only"), InstantSource.system(), 60)
        .close();
    run("read_only", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO writer_of_it");
    assertThat(run(url("writer_of_it", "read_only"), Map.of(), "doctor").out())
        .contains("BAD  database: ", "GRANT SELECT, INSERT");
    run("read_only", TestStore.LATER);
    assertThat(run(url("owner_of_it", "read_only"), Map.of(), "doctor").out())
        .contains("BAD  database: ", "its schema is of a later version");

    assertThat(run(url("nobody", "mail"), Map.of(), "doctor").out())
        .contains("BAD  database: database postgresql://", "nobody");
  }

  @Test
  void settings_are_checked_without_the_server_and_shown_without_the_password() throws Exception {
    String away = "postgresql://me:" + IN_URL + "@db.invalid:5432/mail?sslmode=verify-full";
    Map<String, String> key = Map.of("MAIL_PROXY_ENCRYPTION_KEY", KEY);
    assertThat(run(away, key, "config", "check").code()).isZero();
    assertThat(
            run("postgresql://me:" + IN_URL + "@db.invalid", Map.of(), "config", "check")
                .err()
                .lines())
        .hasSize(2)
        .anyMatch(line -> line.contains("line ") && line.contains("GMP_DB_PATH"))
        .anyMatch(line -> line.contains("every node needs the same key"));
    assertThat(run(away, key, "config", "show").out())
        .contains("db.path=postgresql://***@db.invalid:5432/mail?sslmode=verify-full");
    assertThat(
            run("postgresql://me:a/b@c@db.invalid/mail?password=canary", key, "config", "show")
                .out())
        .contains("db.path=postgresql://***@db.invalid/mail?password=***");
  }
}
