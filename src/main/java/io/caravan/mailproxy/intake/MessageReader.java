package io.caravan.mailproxy.intake;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.Priority;

/** Reads a stored payload back into the {@link Message} it was written for. */
public final class MessageReader {
  private MessageReader() {}

  /**
   * The message of a payload that {@link BatchReader} made. Values are trusted, limits are not
   * applied again.
   *
   * @throws IllegalArgumentException if the text is not such a payload
   */
  public static Message read(String payload) {
    JsonNode node = Json.tree(payload);
    TypeCheck check = new TypeCheck(true);
    MessageFields fields = MessageFields.read(node, check, Path.BODY);
    try {
      check.orThrow();
      String tenantId = fields.tenantId();
      Priority priority = fields.priority();
      if (tenantId == null || priority == null) {
        throw new IllegalArgumentException("stored payload has no tenant_id or priority");
      }
      return MessageBuilder.build(fields, tenantId, priority, Integer.MAX_VALUE);
    } catch (Problem | Refusal e) {
      throw new IllegalArgumentException("stored payload: " + e.getMessage(), e);
    }
  }
}
