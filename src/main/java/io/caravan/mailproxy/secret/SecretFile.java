package io.caravan.mailproxy.secret;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A secret that stands in a file of its own. */
public final class SecretFile {
  private static final int MAX_BYTES = 4_096;

  private SecretFile() {}

  /**
   * The secret itself where it is set, else what its file holds.
   *
   * @param secret wins over the file; blank: it is not set
   * @param file blank: there is none
   * @param home folder from which a relative path starts
   * @return blank: neither is set
   * @throws IllegalArgumentException the file cannot be used
   */
  public static String secretOr(String secret, Path home, String file) {
    return secret.isBlank() && !file.isBlank() ? read(home.resolve(file.strip())) : secret;
  }

  /**
   * Reads at most 4,096 bytes, without the white space around them.
   *
   * @throws IllegalArgumentException the file cannot be read, or holds not exactly one line; it is
   *     named, and nothing of what it holds
   */
  public static String read(Path file) {
    String secret;
    try (InputStream in = Files.newInputStream(file)) {
      secret = new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "cannot read " + file + ": " + e.getClass().getSimpleName());
    }
    if (secret.isEmpty()) {
      throw new IllegalArgumentException(file + " is empty");
    }
    if (secret.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(file + " holds more than one line");
    }
    return secret;
  }
}
