package io.caravan.mailproxy.intake;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.message.Priority;
import java.util.Map;

/**
 * The stored form of an item: its known fields as submitted, aliases under their proper name, no
 * nulls, no secrets.
 */
final class Payload {
  private static final String[] AS_SUBMITTED = {
    "to",
    "cc",
    "bcc",
    "reply_to",
    "return_path",
    "subject",
    "body",
    "message_id",
    "batch_code",
    "on_uncertain"
  };
  private static final String[] OF_ATTACHMENT = {
    "filename", "storage_path", "fetch_mode", "mime_type", "content_md5"
  };

  private Payload() {}

  static String of(MessageFields fields, String tenantId, Priority priority) {
    ObjectNode payload = Json.MAPPER.createObjectNode();
    payload.put("id", fields.id());
    payload.put("tenant_id", tenantId);
    payload.put("account_id", fields.accountId());
    payload.put("from", fields.from());
    copy(fields.node(), payload, AS_SUBMITTED);
    payload.put("content_type", fields.html() ? "html" : "plain");
    payload.put("priority", priority.level());
    if (fields.deferredTs() != null) {
      payload.put("deferred_ts", fields.deferredTs());
    }
    if (fields.expiresTs() != null) {
      payload.put("expires_ts", fields.expiresTs());
    }
    if (!fields.headers().isEmpty()) {
      ObjectNode headers = payload.putObject("headers");
      for (Map.Entry<String, String> header : fields.headers().entrySet()) {
        headers.put(header.getKey(), header.getValue());
      }
    }
    if (!fields.attachments().isEmpty()) {
      ArrayNode attachments = payload.putArray("attachments");
      for (JsonNode attachment : fields.node().path("attachments")) {
        copy(attachment, attachments.addObject(), OF_ATTACHMENT);
      }
    }
    return Json.text(payload);
  }

  private static void copy(JsonNode from, ObjectNode to, String[] names) {
    for (String name : names) {
      JsonNode value = from.get(name);
      if (value != null && !value.isNull()) {
        to.set(name, value);
      }
    }
  }
}
