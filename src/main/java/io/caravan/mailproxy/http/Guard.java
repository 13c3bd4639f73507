package io.caravan.mailproxy.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.secret.SecretFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/** Tells from the token who calls, and lets through who may (genro-api 1.1). */
public final class Guard {
  /** Exchange property that holds the {@link Caller}. */
  public static final String CALLER = "caller";

  /** Exchange property that holds the {@link Command} until it is logged. */
  public static final String COMMAND = "command";

  private static final String FOREIGN = "Token not authorized for this tenant";
  private static final String UNKNOWN = "Invalid or missing API token";

  private final Tokens tokens;
  private final FailedTokens failures;
  private String token = "";
  private String tokenFile = "";
  private String home = "";
  private @Nullable String admin;
  private boolean open;

  /**
   * @param tokens of tenants
   * @param maxFailures wrong tokens a minute and address; the next one is answered 429
   *     (auth.max-failures-per-minute)
   */
  public Guard(Tokens tokens, int maxFailures) {
    this.tokens = tokens;
    this.failures = new FailedTokens(maxFailures);
  }

  /**
   * Sets the administrator's token ({@code api.token}). Not a constructor's argument: there a token
   * such as {@code 123456} would not be taken for text.
   *
   * @param token blank: it stands in the file
   */
  public void setToken(String token) {
    this.token = token;
  }

  /** Sets the file that holds it where it is not set itself ({@code api.token-file}). */
  public void setTokenFile(String tokenFile) {
    this.tokenFile = tokenFile;
  }

  /** Sets the folder from which a relative path starts. */
  public void setHome(String home) {
    this.home = home;
  }

  /**
   * Takes the token that was set; until then nobody passes. With neither token nor file every
   * request without a token is the administrator's (--insecure-dev).
   *
   * @throws IllegalArgumentException the file cannot be used; nothing of what it holds is said
   */
  public void begin() {
    String secret = SecretFile.secretOr(token, Path.of(home), tokenFile);
    open = secret.isBlank();
    admin = open ? null : hash(secret);
  }

  /**
   * Lets through who may call this route by {@link Access}; what they ask for will be logged, if it
   * is a command. A tenant's request names no other tenant from here on, and where the query named
   * none, its own.
   *
   * @throws Problem 401 no token, an unknown one, or one of another tenant; 403 only the
   *     administrator may; 404 the path is another tenant's; 429 too many wrong tokens
   */
  public void admit(Exchange exchange) {
    Access.Operation operation = Access.to(exchange.getFromRouteId());
    let(exchange, operation.who());
    if (operation.logged()) {
      Request request = exchange.getProperty(Requests.REQUEST, Request.class);
      Caller caller = exchange.getProperty(CALLER, Caller.class);
      Object body = exchange.getMessage().getBody();
      exchange.setProperty(COMMAND, Command.of(operation.command(), request, caller, body));
    }
  }

  /** Any valid token, for a route of yours; it is up to you to look at property caller. */
  public void token(Exchange exchange) {
    let(exchange, Access.Who.TOKEN);
  }

  /** The administrator alone, for a route of yours. */
  public void admin(Exchange exchange) {
    let(exchange, Access.Who.ADMIN);
  }

  private void let(Exchange exchange, Access.Who who) {
    if (who == Access.Who.ANYBODY) {
      return;
    }
    Request request = exchange.getProperty(Requests.REQUEST, Request.class);
    Caller caller = caller(request, who == Access.Who.ADMIN ? "Admin token required" : UNKNOWN);
    exchange.setProperty(CALLER, caller);
    String tenant = caller.tenantId();
    switch (who) {
      case TENANT -> {
        if (tenant != null) {
          scope(exchange, request, tenant);
        }
      }
      case OWNER -> {
        if (tenant != null && !request.segment(1).equals(tenant)) {
          throw Problem.notFound("Tenant '" + request.segment(1) + "' not found");
        }
      }
      case ADMIN, NOBODY -> {
        if (tenant != null || who == Access.Who.NOBODY) {
          throw new Problem(
              403, "Admin token required, tenant tokens not allowed for this operation");
        }
      }
      default -> {}
    }
  }

  private Caller caller(Request request, String without) {
    String token = request.token();
    if (token == null) {
      if (open && request.isForeign()) {
        throw new Problem(403, "Without a token no other web page may call, and no other host");
      }
      if (open) {
        return Caller.ADMIN;
      }
      throw new Problem(401, without);
    }
    String hash = hash(token);
    if (admin != null && equal(admin, hash)) {
      return Caller.ADMIN;
    }
    return tokens.callerOf(hash).orElseThrow(() -> refusal(request.address()));
  }

  private Problem refusal(String address) {
    long wait = failures.failed(address, System.nanoTime() / 1_000_000);
    return wait > 0
        ? new Problem(429, "Too many wrong API tokens, wait " + wait + " s").after(wait)
        : new Problem(401, UNKNOWN);
  }

  private static void scope(Exchange exchange, Request request, String tenant) {
    String named = request.parameter("tenant_id").orElse("");
    if (!named.isEmpty() && !named.equals(tenant)) {
      throw new Problem(401, FOREIGN);
    }
    if (exchange.getMessage().getBody() instanceof JsonNode body
        && body.path("tenant_id").isTextual()
        && !body.path("tenant_id").textValue().equals(tenant)) {
      throw new Problem(401, FOREIGN);
    }
    exchange.setProperty(Requests.REQUEST, request.of(tenant));
  }

  private static boolean equal(String a, String b) {
    return MessageDigest.isEqual(
        a.getBytes(StandardCharsets.US_ASCII), b.getBytes(StandardCharsets.US_ASCII));
  }

  /** What a token is known by. */
  public static String hash(String token) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(token.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
