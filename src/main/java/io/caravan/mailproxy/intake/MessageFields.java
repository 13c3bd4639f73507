package io.caravan.mailproxy.intake;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.message.Address;
import io.caravan.mailproxy.message.Priority;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One item of a call with its JSON types checked, its values not (genro-api 1.4).
 *
 * @param node the item as it came; an empty object where it was none
 * @param headers without null values, numbers and booleans as text
 */
record MessageFields(
    JsonNode node,
    @Nullable String id,
    @Nullable String tenantId,
    @Nullable String accountId,
    @Nullable String from,
    Entries to,
    Entries cc,
    Entries bcc,
    Entries replyTo,
    @Nullable String returnPath,
    @Nullable String subject,
    String body,
    boolean html,
    Map<String, String> headers,
    @Nullable String messageId,
    List<AttachmentFields> attachments,
    @Nullable Priority priority,
    @Nullable Long deferredTs,
    @Nullable Long expiresTs,
    @Nullable String batchCode,
    @Nullable String onUncertain) {

  /**
   * Addresses as given.
   *
   * @param list whether they were a JSON list, so that each has a pointer of its own
   */
  record Entries(List<String> texts, boolean list) {
    static final Entries NONE = new Entries(List.of(), false);

    /** Without entries that say nothing. */
    List<String> filled() {
      boolean all = true;
      for (String text : texts) {
        all &= !text.isBlank();
      }
      return all ? texts : texts.stream().filter(t -> !t.isBlank()).toList();
    }
  }

  static MessageFields read(JsonNode node, TypeCheck check, Path at) {
    String from = check.text(node, "from", at);
    String alias = check.text(node, "from_addr", at);
    String body = check.text(node, "body", at);
    return new MessageFields(
        node,
        check.text(node, "id", at),
        check.text(node, "tenant_id", at),
        check.text(node, "account_id", at),
        from == null ? alias : from,
        entries(node, "to", check, at),
        entries(node, "cc", check, at),
        entries(node, "bcc", check, at),
        entries(node, "reply_to", check, at),
        check.text(node, "return_path", at),
        check.text(node, "subject", at),
        body == null ? "" : body,
        html(node, check, at),
        headers(node, check, at),
        check.text(node, "message_id", at),
        attachments(node, check, at),
        priority(node, "priority", check, at),
        check.integer(node, "deferred_ts", at),
        check.integer(node, "expires_ts", at),
        check.text(node, "batch_code", at),
        check.text(node, "on_uncertain", at));
  }

  /** A number, clamped, or a label; other text is a wrong type. */
  static @Nullable Priority priority(JsonNode node, String field, TypeCheck check, Path at) {
    JsonNode value = check.present(node, field);
    if (value == null) {
      return null;
    }
    if (value.isTextual()) {
      Optional<Priority> labelled = Priority.ofLabel(value.textValue());
      if (labelled.isEmpty()) {
        check.add(
            "value_error",
            at.at(field),
            "Value error, priority must be a number from 0 to 3 or one of"
                + " immediate, high, medium, low",
            value);
      }
      return labelled.orElse(null);
    }
    Long level = check.integer(value, at.at(field));
    return level == null ? null : Priority.of(level);
  }

  private static Entries entries(JsonNode node, String field, TypeCheck check, Path at) {
    JsonNode value = check.present(node, field);
    if (value == null) {
      return Entries.NONE;
    }
    if (!value.isArray()) {
      String text = check.text(value, at, field);
      return text == null ? Entries.NONE : new Entries(Address.split(text), false);
    }
    List<String> texts = new ArrayList<>(value.size());
    Path list = at.at(field);
    for (int i = 0; i < value.size(); i++) {
      String text = check.text(value.get(i), list, i);
      if (text != null) {
        texts.add(text);
      }
    }
    return new Entries(texts, true);
  }

  /** {@code html: true} is how an example client of the first system says it (genro-api 1.12). */
  private static boolean html(JsonNode node, TypeCheck check, Path at) {
    String type = check.text(node, "content_type", at);
    return type == null ? node.path("html").booleanValue() : type.equals("html");
  }

  private static Map<String, String> headers(JsonNode node, TypeCheck check, Path at) {
    JsonNode value = check.present(node, "headers");
    if (value == null) {
      return Map.of();
    }
    Path here = at.at("headers");
    if (!value.isObject()) {
      check.add("dict_type", here, "Input should be a valid dictionary", value);
      return Map.of();
    }
    Map<String, String> headers = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> header : value.properties()) {
      if (!header.getValue().isNull()) {
        String text = check.scalar(header.getValue(), here, header.getKey());
        if (text != null) {
          headers.put(header.getKey(), text);
        }
      }
    }
    return Collections.unmodifiableMap(headers);
  }

  private static List<AttachmentFields> attachments(JsonNode node, TypeCheck check, Path at) {
    JsonNode value = check.array(node, "attachments", at);
    if (value == null || value.isEmpty()) {
      return List.of();
    }
    Path list = at.at("attachments");
    List<AttachmentFields> all = new ArrayList<>(value.size());
    for (int i = 0; i < value.size(); i++) {
      all.add(AttachmentFields.read(value.get(i), check, list.at(i)));
    }
    return all;
  }
}
