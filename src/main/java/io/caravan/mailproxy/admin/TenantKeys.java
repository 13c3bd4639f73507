package io.caravan.mailproxy.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Caller;
import io.caravan.mailproxy.http.Guard;
import io.caravan.mailproxy.http.JsonFields;
import io.caravan.mailproxy.http.Request;
import io.caravan.mailproxy.http.Requests;
import io.caravan.mailproxy.http.Tokens;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/** The tokens of tenants (genro-api 1.1, 1.7): made here and told once, kept as hashes. */
public final class TenantKeys implements Tokens {
  /** Exchange property with the new token. */
  static final String TOKEN = "token";

  private static final int TOKEN_BYTES = 32;
  private static final long MAX_OVERLAP_SECONDS = 90L * 86_400;
  private static final long MAX_SECONDS = Long.MAX_VALUE / 1_000;

  private record Key(String tenantId, @Nullable Long expiresAt) {}

  private final SecureRandom random = new SecureRandom();
  private final Database database;
  private final InstantSource clock;
  private volatile Map<String, Key> keys = Map.of();

  /**
   * Reads table {@code tenant_key}.
   *
   * @param clock the database's clock
   */
  public TenantKeys(Database database, InstantSource clock) {
    this.database = database;
    this.clock = clock;
    reload();
  }

  /** The table has changed. */
  public void reload() {
    Map<String, Key> read = new HashMap<>();
    for (Row row : Row.all(database.rows("tenant-keys"))) {
      read.put(row.text("hash"), new Key(row.text("tenant_id"), row.numberOrNull("expires_at")));
    }
    keys = read;
  }

  @Override
  public Optional<Caller> callerOf(String sha256) {
    Key key = keys.get(sha256);
    return key == null || (key.expiresAt() != null && key.expiresAt() <= clock.millis())
        ? Optional.empty()
        : Optional.of(new Caller(key.tenantId()));
  }

  /**
   * Makes a token, which stands in property {@value #TOKEN} from then on.
   *
   * @return parameters for {@code insert-tenant-key.sql} and {@code retire-tenant-keys.sql}
   * @throws io.caravan.mailproxy.http.Problem 422 {@code expires_at} (Unix seconds) lies in the
   *     past, or {@code overlap_seconds} is not 0 to 90 days
   */
  public Map<String, @Nullable Object> make(Exchange exchange) {
    Request request = exchange.getProperty(Requests.REQUEST, Request.class);
    Object body = exchange.getMessage().getBody();
    JsonFields form =
        new JsonFields(
            body instanceof JsonNode tree ? tree : JsonNodeFactory.instance.objectNode());
    Long expires = form.number("expires_at", 0, MAX_SECONDS, null);
    if (expires != null && expires * 1_000 <= clock.millis()) {
      throw form.wrong("expires_at", "Input should be a moment to come, in Unix seconds");
    }
    long overlap = form == null ? 0 : form.number("overlap_seconds", 0, MAX_OVERLAP_SECONDS, 0L);
    return values(exchange, request.segment(1), expires, overlap);
  }

  /** The first token of a tenant that was added. */
  public Map<String, @Nullable Object> first(Exchange exchange, String tenantId) {
    return values(exchange, tenantId, null, 0);
  }

  private Map<String, @Nullable Object> values(
      Exchange exchange, String tenantId, @Nullable Long expires, long overlap) {
    byte[] bytes = new byte[TOKEN_BYTES];
    random.nextBytes(bytes);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    exchange.setProperty(TOKEN, token);
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("tenant", tenantId);
    values.put("hash", Guard.hash(token));
    values.put("expires", expires == null ? null : expires * 1_000);
    values.put("overlap", overlap * 1_000);
    return values;
  }

  /** The answer that shows a new token, where there is one. */
  public static Map<String, Object> told(Exchange exchange) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    String token = exchange.getProperty(TOKEN, String.class);
    if (token != null) {
      answer.put("api_key", token);
    }
    return answer;
  }
}
