package io.caravan.mailproxy.secret;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the keys come from. Unlike other settings they are taken from the environment itself:
 * Camel's own log, where somebody turns it up, tells the value of each setting that it resolves.
 */
public final class KeySettings {
  private static final Logger LOG = LoggerFactory.getLogger(KeySettings.class);

  /** The variable that holds keys. */
  public static final String KEY = "MAIL_PROXY_ENCRYPTION_KEY";

  private static final String KEY_FILE = "MAIL_PROXY_ENCRYPTION_KEY_FILE";

  /** What is wrong where nodes share a database and no key is set. */
  public static final String NO_SHARED_KEY =
      "on PostgreSQL every node needs the same key: set %s or %s (openssl rand -base64 32 makes one)"
          .formatted(KEY, KEY_FILE);

  private static final int MAX_FILE_BYTES = 64 * 1024;

  private final String key;
  private String keyFile = "";
  private String home = "";

  /** Keys of the environment. */
  public KeySettings() {
    this(System.getenv().getOrDefault(KEY, ""));
  }

  /**
   * @param key the keys themselves; blank: in a file
   */
  KeySettings(String key) {
    this.key = key;
  }

  /** The file that holds them; blank: beside the database. */
  public void setKeyFile(String keyFile) {
    this.keyFile = keyFile;
  }

  /** Folder from which a relative path starts. */
  public void setHome(String home) {
    this.home = home;
  }

  /**
   * Reads the keys.
   *
   * @param beside the file that holds the key where none is set; {@code null}: one has to be set,
   *     for other nodes need the same one
   * @param mayMake whether a key may be made there; else what is sealed already would be lost
   * @throws IllegalStateException there are none, or they cannot be used; nothing of them is said
   */
  public Keyring load(@Nullable Path beside, boolean mayMake) {
    if (!key.isBlank() && !keyFile.isBlank()) {
      throw new IllegalStateException(
          KEY + " and " + KEY_FILE + " are both set, one of them must not be");
    }
    if (!key.isBlank()) {
      return parse(key, KEY);
    }
    if (!keyFile.isBlank()) {
      Path file = Path.of(home).resolve(keyFile.strip());
      return parse(read(file), KEY_FILE + ", file " + file);
    }
    if (beside == null) {
      throw new IllegalStateException(NO_SHARED_KEY);
    }
    if (!Files.exists(beside)) {
      if (!mayMake) {
        throw new IllegalStateException(
            "there are sealed passwords in the database and no key: %s is gone. Put it back, or set %s"
                .formatted(beside, KEY));
      }
      make(beside);
    }
    return parse(read(beside), "key file " + beside);
  }

  private static Keyring parse(String text, String source) {
    try {
      return Keyring.parse(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException(source + ": " + e.getMessage());
    }
  }

  private static String read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(MAX_FILE_BYTES), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new IllegalStateException("key file " + file + " cannot be read: " + e);
    }
  }

  /** On disk under its name before anything is sealed with it. */
  private static void make(Path file) {
    Path draft = file.resolveSibling(file.getFileName() + ".tmp");
    try {
      Files.deleteIfExists(draft);
      Files.createFile(draft, ownersOnly(file));
      try (FileChannel channel = FileChannel.open(draft, StandardOpenOption.WRITE)) {
        ByteBuffer text =
            ByteBuffer.wrap((Keyring.generate() + "\n").getBytes(StandardCharsets.US_ASCII));
        while (text.hasRemaining()) {
          channel.write(text);
        }
        channel.force(true);
      }
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
      try (FileChannel folder = FileChannel.open(file.toAbsolutePath().getParent())) {
        folder.force(true);
      }
    } catch (IOException e) {
      throw new IllegalStateException("key file " + file + " cannot be made: " + e);
    }
    LOG.info(
        "Made an encryption key in {}: keep a copy of it apart from the database's, no password in"
            + " there can be read without it",
        file);
  }

  private static FileAttribute<?>[] ownersOnly(Path file) {
    return file.getFileSystem().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
        }
        : new FileAttribute<?>[0];
  }
}
