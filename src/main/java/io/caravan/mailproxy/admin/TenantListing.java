package io.caravan.mailproxy.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.Request;
import io.caravan.mailproxy.secret.LockedException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Tenants in the form clients know (genro-api 1.7): null is left out, secrets never appear. */
public final class TenantListing {
  /** All of {@code client_auth} that is shown. */
  private static final List<String> OPEN = List.of("method", "user");

  private static final List<String> TEXTS =
      List.of(
          "id",
          "name",
          "client_base_url",
          "client_sync_path",
          "client_attachment_path",
          "url_set_by");

  private final Secrets secrets;

  public TenantListing(Secrets secrets) {
    this.secrets = secrets;
  }

  /** Parameters for {@code read-tenants.sql}: all tenants, or those that are active. */
  public Map<String, @Nullable Object> all(Request request) {
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("id", null);
    values.put("active", request.flag("active_only") ? 1 : 0);
    return values;
  }

  /** Parameters for {@code read-tenants.sql}: the tenant that the path names. */
  public Map<String, Object> one(Request request) {
    return Map.of("id", request.segment(1), "active", 0);
  }

  /** {@code GET /tenants}. */
  public Map<String, Object> list(List<Map<String, Object>> rows) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.put("tenants", rows.stream().map(this::told).toList());
    return answer;
  }

  /**
   * {@code GET /tenant/{id}}.
   *
   * @throws io.caravan.mailproxy.http.Problem 404 there is none
   */
  public Map<String, Object> detail(List<Map<String, Object>> rows, Request request) {
    found(rows, request);
    return told(rows.get(0));
  }

  /**
   * Whether the statement met the tenant that the path names.
   *
   * @throws io.caravan.mailproxy.http.Problem 404 it did not
   */
  public void found(List<Map<String, Object>> rows, Request request) {
    if (rows.isEmpty()) {
      throw TenantForm.missing(request.segment(1));
    }
  }

  private Map<String, Object> told(Map<String, Object> columns) {
    Row row = new Row(columns);
    Map<String, Object> tenant = new LinkedHashMap<>();
    for (String name : TEXTS) {
      put(tenant, name, row.textOrNull(name));
    }
    put(tenant, "client_auth", auth(row));
    put(tenant, "allowed_sender_domains", tree(row.textOrNull("allowed_sender_domains")));
    put(tenant, "rate_limits", tree(row.textOrNull("rate_limits")));
    put(tenant, "large_file_config", tree(row.textOrNull("large_file_config")));
    tenant.put("active", row.number("active") != 0);
    tenant.put("created_at", Listings.iso(row.number("created_at")));
    tenant.put("updated_at", Listings.iso(row.number("updated_at")));
    return tenant;
  }

  /** Where no loaded key opens it, why. */
  private @Nullable Object auth(Row row) {
    try {
      JsonNode auth = tree(secrets.clientAuth(row));
      return auth instanceof ObjectNode object ? object.retain(OPEN) : null;
    } catch (LockedException e) {
      return Map.of("locked", String.valueOf(e.getMessage()));
    }
  }

  private static @Nullable JsonNode tree(@Nullable String text) {
    return text == null ? null : Json.tree(text);
  }

  private static void put(Map<String, Object> target, String name, @Nullable Object value) {
    if (value != null) {
      target.put(name, value);
    }
  }
}
