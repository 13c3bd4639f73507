package io.caravan.mailproxy.endtoend;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The store of a test's proxies: an SQLite file in their home, or, where system property {@code
 * mailproxy.store} is {@code postgresql}, a database for each home on a real server of this JVM.
 * That server waits for its disk where property {@code mailproxy.fsync} is {@code on}.
 */
public final class TestStore {
  /** Makes a database one of a later version of the product. */
  public static final String LATER =
      "INSERT INTO flyway_schema_history SELECT installed_rank + 1, '999', 'later', type, 'V999__later.sql',"
          + " checksum, installed_by, installed_on, execution_time, success FROM flyway_schema_history"
          + " ORDER BY installed_rank DESC LIMIT 1";

  private static final boolean SHARED =
      System.getProperty("mailproxy.store", "sqlite").equals("postgresql");
  private static final AtomicInteger DATABASES = new AtomicInteger();
  private static final Map<Path, String> BY_HOME = new ConcurrentHashMap<>();
  private static final Map<String, Long> AHEAD = new ConcurrentHashMap<>();
  private static @Nullable EmbeddedPostgres server;

  private TestStore() {}

  /** Whether it is PostgreSQL. */
  public static boolean isShared(Path home) {
    return SHARED || BY_HOME.containsKey(home.toAbsolutePath());
  }

  /** Gives homes one database on PostgreSQL, whatever the property says. */
  public static void share(Path... homes) {
    shareAt(postgres(), homes);
  }

  /** Gives homes a database that is there. */
  public static void shareAt(String url, Path... homes) {
    for (Path home : homes) {
      BY_HOME.put(home.toAbsolutePath(), url);
    }
  }

  /** A database that is no longer there, by the address that it was given. */
  static void forget(Path home) {
    BY_HOME.remove(home.toAbsolutePath());
  }

  /** What {@code db.path} of a home's proxies is; the same each time. */
  public static String path(Path home) {
    return isShared(home)
        ? BY_HOME.computeIfAbsent(home.toAbsolutePath(), folder -> postgres())
        : ProxyProcess.database(home).toString();
  }

  /** A connection beside the proxy's. */
  public static Connection connect(Path home) throws SQLException {
    return isShared(home)
        ? connect(path(home))
        : DriverManager.getConnection("jdbc:sqlite:" + ProxyProcess.database(home));
  }

  /** All rows of all tables on PostgreSQL, bytes as text. */
  static String text(Path home) throws SQLException {
    StringBuilder text = new StringBuilder();
    try (Connection connection = connect(home);
        Statement tables = connection.createStatement();
        Statement statement = connection.createStatement()) {
      statement.execute("SET bytea_output = 'escape'");
      ResultSet names =
          tables.executeQuery("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
      while (names.next()) {
        ResultSet rows =
            statement.executeQuery("SELECT t::text FROM \"" + names.getString(1) + "\" t");
        while (rows.next()) {
          text.append(rows.getString(1)).append('\n');
        }
      }
    }
    return text.toString();
  }

  /** The URL of a new database on PostgreSQL, as {@code db.path} takes it. */
  public static String postgres() {
    String name = "test_" + ProcessHandle.current().pid() + "_" + DATABASES.incrementAndGet();
    try (Connection connection = connect(url("postgres"));
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + name);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return url(name);
  }

  /** A connection to a database on PostgreSQL. */
  public static Connection connect(String url) throws SQLException {
    URI parts = URI.create(url);
    String[] user = parts.getUserInfo().split(":", 2);
    return DriverManager.getConnection(
        "jdbc:postgresql://" + parts.getAuthority().replaceFirst(".*@", "") + parts.getPath(),
        user[0],
        user.length == 1 ? "" : user[1]);
  }

  private static String url(String name) {
    return "postgresql://postgres@127.0.0.1:" + server().getPort() + "/" + name;
  }

  private static synchronized EmbeddedPostgres server() {
    try {
      if (server == null) {
        server =
            EmbeddedPostgres.builder()
                .setPort(TestPorts.next())
                .setServerConfig("max_connections", "300")
                .setServerConfig("fsync", System.getProperty("mailproxy.fsync", "off"))
                .setPGStartupWait(Duration.ofSeconds(60))
                .start();
      }
      return server;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** CPU time that the server's processes have used so far, microseconds; without a server 0. */
  public static synchronized long cpuMicros() throws IOException {
    if (server == null) {
      return 0;
    }
    ProcessHandle first = firstProcess(url("postgres"));
    long micros = ProxyProcess.cpuMicros(first.pid()) + ProxyProcess.endedCpuMicros(first.pid());
    for (ProcessHandle child : first.descendants().toList()) {
      micros += ProxyProcess.cpuMicros(child.pid());
    }
    return micros;
  }

  /** The process of a database's server that begins the others and is never a session itself. */
  static ProcessHandle firstProcess(String url) throws IOException {
    try (Connection connection = connect(url);
        Statement statement = connection.createStatement();
        ResultSet folder = statement.executeQuery("SHOW data_directory")) {
      folder.next();
      Path file = Path.of(folder.getString(1), "postmaster.pid");
      return ProcessHandle.of(Long.parseLong(Files.readAllLines(file).get(0))).orElseThrow();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Puts the clocks of all databases on PostgreSQL forward; an SQLite file has its process's. */
  static void advance(Duration by) {
    for (String url : Set.copyOf(BY_HOME.values())) {
      try (Connection connection = connect(url);
          Statement statement = connection.createStatement()) {
        statement.execute(
            "CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint LANGUAGE sql STABLE AS"
                + " 'SELECT (extract(epoch FROM statement_timestamp()) * 1000)::bigint + "
                + AHEAD.merge(url, by.toMillis(), Long::sum)
                + "'");
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** A file with the key that all nodes of an installation need; the same one each time. */
  public static Path key(Path home) {
    try {
      return Files.writeString(home.resolve("test.key"), "A".repeat(43) + "=");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
