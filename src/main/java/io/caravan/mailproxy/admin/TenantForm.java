package io.caravan.mailproxy.admin;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Caller;
import io.caravan.mailproxy.http.Guard;
import io.caravan.mailproxy.http.JsonFields;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.http.Request;
import io.caravan.mailproxy.http.Requests;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/** Bodies of {@code POST /tenant} and {@code PUT /tenant/{id}}, checked (genro-api 1.7). */
public final class TenantForm {
  private static final String SENDERS = "allowed_sender_domains";
  private static final Set<String> METHODS = Set.of("none", "bearer", "basic");

  /** Of which a tenant's URLs are made up, and the fields they come from. */
  private static final Map<String, String> ENDPOINT =
      Map.of(
          "baseUrl", "client_base_url",
          "syncPath", "client_sync_path",
          "attachmentPath", "client_attachment_path");

  private final TenantHosts hosts;
  private final Registry registry;

  public TenantForm(TenantHosts hosts, Registry registry) {
    this.hosts = hosts;
    this.registry = registry;
  }

  /** The values for {@code upsert-tenant.sql}; replaces the body. */
  public Map<String, @Nullable Object> read(Exchange exchange) {
    JsonFields form = new JsonFields(exchange.getMessage().getBody(JsonNode.class));
    Map<String, @Nullable Object> row = values(form);
    row.put("id", id(form, form.required("id", 255), "id"));
    row.putIfAbsent("active", 1);
    return row;
  }

  /**
   * The values for {@code update-tenant.sql}; replaces the body. What is absent or null stays.
   *
   * @throws Problem 404 nothing is to be changed, as in the first system; 403 the administrator
   *     alone may change that; 422 a tenant may not name that server
   */
  public Map<String, @Nullable Object> change(Exchange exchange) {
    String id = exchange.getProperty(Requests.REQUEST, Request.class).segment(1);
    JsonFields form = new JsonFields(exchange.getMessage().getBody(JsonNode.class));
    Map<String, @Nullable Object> row = values(form);
    if (row.values().stream().allMatch(Objects::isNull)) {
      throw missing(id);
    }
    row.put("id", id);
    boolean own = exchange.getProperty(Guard.CALLER, Caller.class).tenantId() != null;
    row.put("setBy", own ? Registry.TENANT : Registry.ADMIN);
    if (own) {
      if (row.get(SENDERS) != null) {
        throw new Problem(403, "Only the administrator sets " + SENDERS);
      }
      registry.tenant(id).ifPresent(tenant -> checkEndpoint(form, row, tenant.endpoint()));
    }
    return row;
  }

  /** A tenant's URL leads to a public server; what it does not change may be another's. */
  private void checkEndpoint(
      JsonFields form, Map<String, @Nullable Object> row, Endpoint endpoint) {
    Map<String, @Nullable Object> changed = new HashMap<>(row);
    changed.keySet().retainAll(ENDPOINT.keySet());
    changed.values().removeIf(Objects::isNull);
    changed.remove("baseUrl", endpoint.baseUrl());
    changed.remove("syncPath", endpoint.syncPath());
    changed.remove("attachmentPath", endpoint.attachmentPath());
    Object url = row.get("baseUrl") == null ? endpoint.baseUrl() : row.get("baseUrl");
    if (!changed.isEmpty() && url != null) {
      String field = ENDPOINT.get(changed.keySet().iterator().next());
      hosts.checkUrl(form, String.valueOf(field), url.toString());
    }
  }

  /** A tenant's id: the text null would be no tenant to a route. */
  static String id(JsonFields form, String id, String name) {
    if (id.equals("null")) {
      throw form.wrong(name, "Input should be another id");
    }
    return id;
  }

  /** The values for {@code update-tenant.sql} that a declared tenant stands for. */
  static Map<String, @Nullable Object> declared(JsonNode body) {
    JsonFields form = new JsonFields(body);
    Map<String, @Nullable Object> row = values(form);
    row.put("id", id(form, form.required("id", 255), "id"));
    row.put("setBy", Registry.ADMIN);
    return row;
  }

  /** There is no such tenant, as far as the caller may know. */
  static Problem missing(String id) {
    return Problem.notFound("Tenant '" + id + "' not found");
  }

  private static Map<String, @Nullable Object> values(JsonFields form) {
    Map<String, @Nullable Object> row = new HashMap<>();
    row.put("name", form.text("name", 255, null));
    row.put("baseUrl", url(form, form.text("client_base_url", 2_000, null)));
    row.put("syncPath", path(form, "client_sync_path"));
    row.put("attachmentPath", path(form, "client_attachment_path"));
    for (String name : new String[] {"client_auth", "rate_limits", "large_file_config"}) {
      row.put(name, object(form, name));
    }
    row.put(SENDERS, SenderDomains.read(form, SENDERS));
    Boolean active = form.flag("active");
    row.put("active", active == null ? null : active ? 1 : 0);
    return row;
  }

  private static @Nullable String object(JsonFields form, String name) {
    JsonNode node = form.node(name);
    if (node == null) {
      return null;
    }
    if (!node.isObject()) {
      throw form.wrong(name, "Input should be a valid object");
    }
    if (name.equals("client_auth")) {
      JsonFields auth = new JsonFields(node, "body", name);
      for (String field : new String[] {"method", "token", "user", "password"}) {
        auth.text(field, 4_096, null);
      }
      if (!METHODS.contains(auth.text("method", 4_096, "none"))) {
        throw auth.wrong("method", "Input should be 'none', 'bearer' or 'basic'");
      }
    }
    return node.toString();
  }

  /** Follows the base URL, and cannot change its host. */
  private static @Nullable String path(JsonFields form, String name) {
    String text = form.text(name, 2_000, null);
    if (text == null || text.isBlank()) {
      return null;
    }
    String path = text.startsWith("/") ? text : "/" + text;
    try {
      if (new URI("http://host" + path).getFragment() == null) {
        return path;
      }
    } catch (URISyntaxException e) {
      // answered below
    }
    throw form.wrong(name, "Input should be the path of a URL");
  }

  private static @Nullable String url(JsonFields form, @Nullable String text) {
    if (text == null || ClientUrl.usable(text)) {
      return text;
    }
    throw form.wrong("client_base_url", "Input should be " + ClientUrl.FORM);
  }
}
