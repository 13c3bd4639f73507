package io.caravan.mailproxy.http;

import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a route needs of an HTTP request, so that no header of it goes further.
 *
 * @param path the path as sent, percent-encoded
 * @param token the token, from {@code X-API-Token} or {@code Authorization: Bearer}
 * @param accept the header Accept
 * @param address where it comes from
 * @param host the header Host
 * @param origin the header Origin
 * @param idempotencyKey the header Idempotency-Key
 */
public record Request(
    String path,
    Map<String, List<String>> query,
    @Nullable String token,
    @Nullable String accept,
    String address,
    @Nullable String host,
    @Nullable String origin,
    @Nullable String idempotencyKey) {

  /** Names of this machine for itself, with any port. */
  private static final Pattern OURSELVES =
      Pattern.compile("(?i)(?:localhost|127\\.[0-9.]+|\\[::1])(?::[0-9]+)?");

  /** Whether a web page of another origin sent it, or it was meant for another host. */
  boolean isForeign() {
    return host == null
        || !OURSELVES.matcher(host).matches()
        || (origin != null && !origin.equalsIgnoreCase("http://" + host));
  }

  /** The same with another query: {@code tenant_id} is this one. */
  Request of(String tenantId) {
    Map<String, List<String>> scoped = new HashMap<>(query);
    scoped.put("tenant_id", List.of(tenantId));
    return new Request(path, scoped, token, accept, address, host, origin, idempotencyKey);
  }

  /**
   * The tenant that the query names.
   *
   * @throws Problem 422 none, 400 a blank one
   */
  public String tenant() {
    String tenant = required("tenant_id");
    if (tenant.isEmpty()) {
      throw new Problem(400, "tenant_id is required");
    }
    return tenant;
  }

  /** A query parameter, where given; the first one where given several times. */
  public Optional<String> parameter(String name) {
    return Optional.ofNullable(query.get(name)).map(values -> values.get(0));
  }

  /**
   * A query parameter that must be there.
   *
   * @throws Problem 422 it is missing
   */
  public String required(String name) {
    return parameter(name)
        .orElseThrow(() -> Problem.invalid("missing", List.of("query", name), "Field required"));
  }

  /**
   * A query parameter that is a boolean, in any of the spellings clients use.
   *
   * @throws Problem 422 it is none
   */
  public boolean flag(String name) {
    return switch (parameter(name).orElse("false").toLowerCase(java.util.Locale.ROOT)) {
      case "true", "1", "yes", "on", "t", "y" -> true;
      case "false", "0", "no", "off", "f", "n" -> false;
      default ->
          throw Problem.invalid(
              "bool_parsing",
              List.of("query", name),
              "Input should be a valid boolean, unable to interpret input");
    };
  }

  /**
   * The last segment of the path, decoded.
   *
   * @throws Problem 400 it is not percent-encoded
   */
  public String lastSegment() {
    return decoded(path.substring(path.lastIndexOf('/') + 1));
  }

  private static String decoded(String segment) {
    try {
      // A path, unlike a query, keeps its plus signs.
      String text = new QueryStringDecoder(segment).path();
      if (text.indexOf('\0') >= 0) {
        throw new Problem(404, "not found");
      }
      return text;
    } catch (IllegalArgumentException e) {
      throw new Problem(400, "Path is not percent-encoded UTF-8");
    }
  }

  /**
   * A segment of the path, decoded; in {@code /messages/x} number 1 is {@code x}.
   *
   * @throws Problem 400 it is not percent-encoded
   */
  public String segment(int number) {
    return decoded(path.split("/", -1)[number + 1]);
  }

  /** Without the token: this text may reach a log. */
  @Override
  public String toString() {
    return "Request[" + path + "]";
  }
}
