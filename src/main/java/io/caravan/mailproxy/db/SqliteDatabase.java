package io.caravan.mailproxy.db;

import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.InstantSource;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.sqlite.Function;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * The embedded store: one SQLite file that belongs to this process (a lock file says so), migrated
 * at opening. A commit is on disk when it returns: WAL with {@code synchronous=FULL}.
 *
 * <p>SQLite has one writer, so {@link #writer()} is a pool of one connection: who wants to write
 * waits there in turn and never meets a busy database.
 */
final class SqliteDatabase extends Database {
  private static final int READERS = 8;
  private static final long BORROW_TIMEOUT_MILLIS = 10_000;

  /** A row of a 2 KB mail leaves half of a page of 4 KB empty. */
  private static final int PAGE_BYTES = 8192;

  private static final int CACHE_KIB = 32 * 1024;

  /** Does no checkpoint: see {@link Checkpointer}. */
  private static final String AS_WRITER = "PRAGMA wal_autocheckpoint = 0";

  /** Reads most pages once: the system's cache serves the others. */
  private static final String AS_READER = "PRAGMA cache_size = -4096";

  private final Path path;
  private final FileChannel lock;
  private final HikariDataSource writer;
  private final HikariDataSource reader;
  private final Checkpointer checkpointer;

  /**
   * Opens, locks and migrates.
   *
   * @param file its folder is made when absent
   * @param clock what {@code now_ms()} says in statements
   * @throws UnusableStoreException another process has the file, or it cannot be migrated
   */
  SqliteDatabase(Path file, InstantSource clock) {
    super("sqlite", clock);
    this.path = file.toAbsolutePath();
    this.lock = lock(this.path);
    try {
      SQLiteDataSource source = new ClockedSource(config(), clock);
      source.setUrl("jdbc:sqlite:" + this.path);
      writer = new HikariDataSource(pool("writer", source, 1, AS_WRITER, BORROW_TIMEOUT_MILLIS));
      migrate(writer, "sqlite");
      reader =
          new HikariDataSource(pool("reader", source, READERS, AS_READER, BORROW_TIMEOUT_MILLIS));
      checkpointer = new Checkpointer(source, writer);
    } catch (RuntimeException e) {
      unlock();
      throw new UnusableStoreException(
          "database " + this.path + " cannot be used: " + reason(e), e);
    }
  }

  @Override
  public DataSource writer() {
    return writer;
  }

  @Override
  public DataSource reader() {
    return reader;
  }

  /** SQLite has one writer. */
  @Override
  public DataSource commits() {
    return writer;
  }

  @Override
  public DataSource aside() {
    return writer;
  }

  /** While all is well, nobody has to write for that. */
  @Override
  void look(boolean well) throws SQLException {
    if (!well) {
      try (Connection connection = writer.getConnection()) {
        touch(connection);
      }
    }
  }

  @Override
  public Path beside(String suffix) {
    return path.resolveSibling(path.getFileName() + suffix);
  }

  @Override
  public Path keyFile() {
    return beside(".key");
  }

  @Override
  public void close() {
    checkpointer.close();
    reader.close();
    writer.close();
    unlock();
  }

  static SQLiteConfig config() {
    SQLiteConfig config = new SQLiteConfig();
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    config.setTransactionMode(SQLiteConfig.TransactionMode.DEFERRED);
    config.setBusyTimeout((int) BORROW_TIMEOUT_MILLIS);
    config.setPageSize(PAGE_BYTES);
    config.setCacheSize(-CACHE_KIB);
    config.setGetGeneratedKeys(false); // a query more after each insert, which nobody reads
    return config;
  }

  private static FileChannel lock(Path path) {
    Path file = path.resolveSibling(path.getFileName() + ".lock");
    try {
      Files.createDirectories(file.getParent());
      keepToOwner(path);
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (tryLock(channel) == null) {
        channel.close();
        throw new UnusableStoreException(
            "database " + path + " belongs to another process (" + file + " is locked)");
      }
      return channel;
    } catch (IOException e) {
      throw new UncheckedIOException("database " + path + " cannot be locked", e);
    }
  }

  /** Mail stands in it; SQLite gives its companion files the same mode. */
  private static void keepToOwner(Path path) throws IOException {
    if (!Files.exists(path)
        && path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.createFile(
          path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }
  }

  private static @Nullable Object tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null;
    }
  }

  private void unlock() {
    try {
      lock.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Gives each connection the one clock of all statements. */
  private static final class ClockedSource extends SQLiteDataSource {
    private final InstantSource clock;

    ClockedSource(SQLiteConfig config, InstantSource clock) {
      super(config);
      this.clock = clock;
    }

    @Override
    public org.sqlite.SQLiteConnection getConnection(
        @Nullable String username, @Nullable String password) throws SQLException {
      var connection = super.getConnection(username, password);
      Function.create(
          connection,
          "now_ms",
          new Function() {
            @Override
            protected void xFunc() throws SQLException {
              result(clock.millis());
            }
          });
      return connection;
    }
  }
}
