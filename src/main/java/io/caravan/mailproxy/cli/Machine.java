package io.caravan.mailproxy.cli;

import io.caravan.mailproxy.db.Durability;
import io.caravan.mailproxy.db.PostgresServer;
import io.caravan.mailproxy.db.UnusableStoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** What {@code doctor} looks at on this machine. */
final class Machine {
  private static final int JAVA = 17;
  private static final long ENOUGH_BYTES = 1L << 30;
  private static final long ENOUGH_BESIDE_BYTES = 100L << 20;
  private static final Duration CLOCKS_DIFFER = Duration.ofSeconds(5);

  /** No clock is right that shows less: this product is younger. */
  private static final Instant MADE = Instant.parse("2026-01-01T00:00:00Z");

  private final Findings findings;
  private final Terminal terminal;
  private final Path home;
  private final String store;
  private final Path database;

  /**
   * @param settings those in force, with {@code home}
   */
  Machine(Findings findings, Terminal terminal, Map<String, String> settings) {
    this.findings = findings;
    this.terminal = terminal;
    this.home = Path.of(settings.getOrDefault("home", ""));
    this.store = settings.getOrDefault("db.path", "");
    this.database = home.resolve(PostgresServer.is(store) ? "data/node" : store).toAbsolutePath();
  }

  void look() {
    findings.add(
        Runtime.version().feature() >= JAVA,
        "Java",
        Runtime.version().toString(),
        "install Java 17 or later, or name one by JAVA_HOME");
    findings.add(
        Files.isDirectory(home.resolve("routes")),
        "home",
        home.toString(),
        "there is no routes/ in it: set GMP_HOME to the folder of the product");
    Path folder = existing(database);
    if (PostgresServer.is(store)) {
      server();
      disk(folder, ENOUGH_BESIDE_BYTES, "the metric log and what a node remembers stand there");
    } else {
      file(folder);
      disk(folder, ENOUGH_BYTES, "the database and its log need 1 GB and more under load");
      clock(folder);
    }
    key();
  }

  private void server() {
    PostgresServer server;
    try {
      server = PostgresServer.at(store);
    } catch (UnusableStoreException e) {
      findings.bad(
          "database", String.valueOf(e.getMessage()), "what to set: docs/nodes.md, Set up");
      return;
    }
    findings.add(
        server.mayMigrate(),
        "database",
        "%s, PostgreSQL %s, %s, %d of %d connections"
            .formatted(
                server.address(),
                server.version(),
                server.encrypted() ? "TLS" : "no TLS",
                server.connections(),
                server.maxConnections()),
        "its user may neither make tables nor write to those there: GRANT CREATE ON SCHEMA public TO"
            + " it, or GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public");
    findings.add(
        server.lasts(),
        "commits",
        (server.lasts() ? "on disk when they return: " : "may be lost: ") + server.durability(),
        "set fsync and full_page_writes on, and connect to the server or to a pool in session mode");
    findings.add(
        Math.abs(server.aheadMillis()) < CLOCKS_DIFFER.toMillis(),
        "clock",
        Instant.now() + ", the database's differs by " + server.aheadMillis() + " ms",
        "set both clocks, and keep them so by NTP");
  }

  /** Where the database is, or where its folder will be made. */
  private static Path existing(Path file) {
    Path there = file;
    while (!Files.isDirectory(there) && there.getParent() != null) {
      there = there.getParent();
    }
    return there;
  }

  private void file(Path folder) {
    boolean writable =
        Files.exists(database) ? Files.isWritable(database) : Files.isWritable(folder);
    findings.add(
        writable,
        "database",
        database + (Files.exists(database) ? "" : " (made at the first start)"),
        "the user of the proxy must be able to write there, or set GMP_DB_PATH");
    try {
      findings.good(
          "commits", "on disk when they return: " + Durability.of(folder) + ", synchronous FULL");
    } catch (IOException e) {
      findings.bad(
          "commits",
          folder + ": " + e.getMessage(),
          "keep the database on a local disk that SQLite's WAL works on");
    }
  }

  private void disk(Path folder, long enough, String why) {
    try {
      long free = Files.getFileStore(folder).getUsableSpace();
      findings.add(
          free >= enough, "disk", free / (1 << 20) + " MB free in " + folder, "make room: " + why);
    } catch (IOException e) {
      findings.bad("disk", folder + ": " + e.getMessage(), "is it mounted?");
    }
  }

  /** Leases and limits are kept by this clock, files of the same disk by another one perhaps. */
  private void clock(Path folder) {
    try {
      Path file = Files.createTempFile(folder, ".check-", ".tmp");
      try {
        Instant stamped = Files.getLastModifiedTime(file).toInstant();
        Instant now = Instant.now();
        boolean sane =
            Duration.between(stamped, now).abs().compareTo(CLOCKS_DIFFER) < 0 && now.isAfter(MADE);
        findings.add(
            sane,
            "clock",
            now
                + ", the file system's differs by "
                + Duration.between(stamped, now).toMillis()
                + " ms",
            "set the clock, and keep it so by NTP");
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      findings.bad("clock", "no file can be made in " + folder, "see the line of the database");
    }
  }

  private void key() {
    Path beside = database.resolveSibling(database.getFileName() + ".key");
    String named = terminal.variable("MAIL_PROXY_ENCRYPTION_KEY_FILE");
    if (!terminal.variable("MAIL_PROXY_ENCRYPTION_KEY").isEmpty()) {
      findings.good("encryption key", "MAIL_PROXY_ENCRYPTION_KEY");
    } else if (!named.isEmpty()) {
      Path file = home.resolve(named);
      findings.add(
          Files.isReadable(file),
          "encryption key",
          file.toString(),
          "MAIL_PROXY_ENCRYPTION_KEY_FILE names a file that cannot be read");
    } else if (PostgresServer.is(store)) {
      findings.bad(
          "encryption key",
          "none",
          "all nodes need the same one: set MAIL_PROXY_ENCRYPTION_KEY or"
              + " MAIL_PROXY_ENCRYPTION_KEY_FILE (openssl rand -base64 32 makes one)");
    } else if (Files.exists(beside)) {
      findings.add(
          Files.isReadable(beside), "encryption key", beside.toString(), "it cannot be read");
    } else {
      findings.add(
          !Files.exists(database),
          "encryption key",
          Files.exists(database) ? "none" : "made at the first start",
          "put "
              + beside
              + " back, or set MAIL_PROXY_ENCRYPTION_KEY; where nothing is sealed yet the"
              + " next start makes one");
    }
  }
}
