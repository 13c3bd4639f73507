package io.caravan.mailproxy.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/** Tells from the token who calls, and lets through who may (genro-api 1.1). */
public final class Guard {
  /** Exchange property that holds the {@link Caller}. */
  public static final String CALLER = "caller";

  private byte @Nullable [] admin;
  private boolean open;

  /**
   * Sets the administrator's token; until then nobody passes. Not a constructor's argument: there a
   * token such as {@code 123456} would not be taken for text.
   *
   * @param token blank: every request without a token is the administrator's (--insecure-dev)
   */
  public void setToken(String token) {
    open = token.isBlank();
    admin = open ? null : hash(token);
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
    if (token == null && !open) {
      throw new Problem(401, withoutToken);
    }
    if (token != null && (admin == null || !MessageDigest.isEqual(admin, hash(token)))) {
      throw new Problem(401, "Invalid or missing API token");
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
