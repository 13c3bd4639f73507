package io.caravan.mailproxy.admin;

import com.fasterxml.jackson.databind.JsonNode;
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

  private static final Set<String> METHODS = Set.of("none", "bearer", "basic");

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
   * @throws Problem 404 nothing is to be changed, as in the first system
   */
  public Map<String, @Nullable Object> change(Exchange exchange) {
    String id = exchange.getProperty(Requests.REQUEST, Request.class).segment(1);
    Map<String, @Nullable Object> row =
        values(new JsonFields(exchange.getMessage().getBody(JsonNode.class)));
    if (row.values().stream().allMatch(Objects::isNull)) {
      throw missing(id);
    }
    row.put("id", id);
    return row;
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
