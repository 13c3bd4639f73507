package io.caravan.mailproxy.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What somebody asked for, for the command log (genro-api 1.9). It holds no secret and no mail.
 *
 * @param endpoint the command's name
 * @param tenantId whom it is for, where the request says so
 * @param caller {@code admin}, or {@code tenant} and its id
 * @param address where it came from
 * @param requestId the answer's header {@code X-Request-Id}
 * @param payload JSON: the query and the body, secrets left out; of messages their ids
 */
public record Command(
    String endpoint,
    @Nullable String tenantId,
    String caller,
    String address,
    String requestId,
    String payload) {
  /** What a field that holds a secret is called, also by who takes another field for it. */
  private static final Pattern SECRET =
      Pattern.compile("(?i).*(?:pass|pwd|secret|token|credential|api_?key|access_?key).*");

  /** User and password in a URL (RFC 3986 section 3.2.1). */
  private static final Pattern USER_INFO = Pattern.compile("//[^/@\\s]*@");

  /** Of {@code client_auth} nothing else is shown: its secrets may have any name. */
  private static final Set<String> OPEN_AUTH = Set.of("method", "user");

  private static final String CLIENT_AUTH = "client_auth";
  private static final String MESSAGES = "messages";
  private static final int MAX_IDS = 20;
  private static final int MAX_PAYLOAD_CHARS = 4_096;

  static Command of(String endpoint, Request request, Caller caller, @Nullable Object body) {
    ObjectNode payload = JsonNodeFactory.instance.objectNode();
    request
        .query()
        .forEach(
            (name, values) ->
                payload.set(name, open(name, JsonNodeFactory.instance.textNode(values.get(0)))));
    if (body instanceof ObjectNode object) {
      object
          .properties()
          .forEach(field -> payload.set(field.getKey(), open(field.getKey(), field.getValue())));
    }
    String text = Json.text(payload);
    Arrival arrival = Arrival.current();
    return new Command(
        endpoint,
        tenant(request, caller, payload, body),
        caller.tenantId() == null ? "admin" : "tenant " + caller.tenantId(),
        request.address(),
        arrival == null ? "" : arrival.id(),
        text.length() <= MAX_PAYLOAD_CHARS ? text : "{\"too_long\":" + text.length() + "}");
  }

  private static @Nullable String tenant(
      Request request, Caller caller, JsonNode payload, @Nullable Object body) {
    if (caller.tenantId() != null) {
      return caller.tenantId();
    }
    if (payload.path("tenant_id").isTextual()) {
      return payload.path("tenant_id").textValue();
    }
    if (request.path().startsWith("/tenant/")) {
      return request.segment(1);
    }
    if (request.path().equals("/tenant")) {
      return payload.path("id").textValue();
    }
    return body instanceof ObjectNode object ? ofMessages(object.path(MESSAGES)) : null;
  }

  /** The tenant that all messages name. */
  private static @Nullable String ofMessages(JsonNode messages) {
    Set<String> tenants = new HashSet<>();
    messages.forEach(message -> tenants.add(message.path("tenant_id").asText()));
    String one = tenants.size() == 1 ? tenants.iterator().next() : "";
    return one.isEmpty() ? null : one;
  }

  private static JsonNode open(String name, JsonNode value) {
    if (value.isNull()) {
      return value;
    }
    if (SECRET.matcher(name).matches() || (name.equals(CLIENT_AUTH) && !value.isObject())) {
      return JsonNodeFactory.instance.textNode("***");
    }
    if (value instanceof ArrayNode array) {
      return name.equals(MESSAGES) ? ids(array) : opened(array);
    }
    if (value.isTextual()) {
      String text = USER_INFO.matcher(value.textValue()).replaceAll("//***@");
      return JsonNodeFactory.instance.textNode(text);
    }
    return value instanceof ObjectNode object ? opened(name, object) : value;
  }

  private static JsonNode opened(String name, ObjectNode object) {
    ObjectNode copy = JsonNodeFactory.instance.objectNode();
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      boolean hidden = name.equals(CLIENT_AUTH) && !OPEN_AUTH.contains(field.getKey());
      copy.set(field.getKey(), open(hidden ? "token" : field.getKey(), field.getValue()));
    }
    return copy;
  }

  private static JsonNode opened(ArrayNode array) {
    ArrayNode copy = JsonNodeFactory.instance.arrayNode(array.size());
    array.forEach(item -> copy.add(open("", item)));
    return copy;
  }

  /** How many, and the first of them. */
  private static JsonNode ids(ArrayNode messages) {
    ObjectNode told = JsonNodeFactory.instance.objectNode().put("count", messages.size());
    ArrayNode ids = told.putArray("ids");
    for (int i = 0; i < Math.min(MAX_IDS, messages.size()); i++) {
      ids.add(messages.get(i).path("id"));
    }
    return told;
  }
}
