package io.caravan.mailproxy.db;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code postgresql://user:password@host:port/database?parameters}, as {@code psql} takes it. Host
 * and parameters (such as {@code sslmode=verify-full}) are the driver's.
 *
 * @param address the driver's URL, without user and password
 * @param user blank: the parameters or the system's user
 * @param password blank: none
 */
record PostgresUrl(String address, String user, String password) {
  private static final Pattern FORM =
      Pattern.compile(
          "postgres(?:ql)?://(?:([^:@/?]*)(?::([^@/?]*))?@)?([^@/?]+)/([^/?]+)(\\?.*)?");

  private static final Pattern PASSWORD =
      Pattern.compile("[?&]password=", Pattern.CASE_INSENSITIVE);

  static boolean is(String path) {
    return path.startsWith("postgresql://") || path.startsWith("postgres://");
  }

  /**
   * Reads one; user and password may hold characters as {@code %40}.
   *
   * @throws UnusableStoreException it has not this form; the message tells nothing of it
   */
  static PostgresUrl parse(String url) {
    Matcher form = FORM.matcher(url);
    if (!form.matches()) {
      throw new UnusableStoreException(
          "db.path (GMP_DB_PATH) must have the form postgresql://user:password@host:port/database");
    }
    String parameters = form.group(5) == null ? "" : form.group(5);
    if (PASSWORD.matcher(parameters).find()) {
      throw new UnusableStoreException(
          "db.path (GMP_DB_PATH): the password stands before the host, not among the parameters");
    }
    return new PostgresUrl(
        "jdbc:postgresql://" + form.group(3) + "/" + form.group(4) + parameters,
        decode(form.group(1)),
        decode(form.group(2)));
  }

  private static String decode(@org.jspecify.annotations.Nullable String text) {
    try {
      return text == null
          ? ""
          : URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new UnusableStoreException(
          "db.path (GMP_DB_PATH): user or password hold a % that begins no character");
    }
  }

  /** What may be told. */
  @Override
  public String toString() {
    return address.substring("jdbc:".length()).replaceAll("\\?.*", "");
  }
}
