package io.caravan.mailproxy.http;

import io.caravan.mailproxy.config.Settings;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/** Tells from the token who calls, and lets through who may (genro-api 1.1). */
public final class Guard {
  /** Exchange property that holds the {@link Caller}. */
  public static final String CALLER = "caller";

  private final byte @Nullable [] admin;

  /**
   * Takes the administrator's token.
   *
   * @param token blank: every request is the administrator's (--insecure-dev)
   */
  public Guard(String token) {
    this.admin = token.isBlank() ? null : hash(token);
  }

  /** Takes it from setting {@code api.token}. */
  public static Guard of(Settings settings) {
    return new Guard(settings.text("api.token"));
  }

  /**
   * Lets any valid token through.
   *
   * @throws Problem 401 none, or unknown
   */
  public void token(Exchange exchange) {
    check(exchange, "Invalid or missing API token");
  }

  /**
   * Lets the administrator through.
   *
   * @throws Problem 401 no token, or unknown
   */
  public void admin(Exchange exchange) {
    check(exchange, "Admin token required");
  }

  private void check(Exchange exchange, String withoutToken) {
    Request request = exchange.getProperty(Requests.REQUEST, Request.class);
    String token = request.token();
    if (admin != null) {
      if (token == null) {
        throw new Problem(401, withoutToken);
      }
      if (!MessageDigest.isEqual(admin, hash(token))) {
        throw new Problem(401, "Invalid or missing API token");
      }
    }
    exchange.setProperty(CALLER, Caller.ADMIN);
  }

  private static byte[] hash(String token) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
