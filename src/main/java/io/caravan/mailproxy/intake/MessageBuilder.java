package io.caravan.mailproxy.intake;

import io.caravan.mailproxy.message.Address;
import io.caravan.mailproxy.message.Attachment;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.Priority;
import io.caravan.mailproxy.message.Recipient;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link Message} of fields: the one derivation for what is submitted and for what is read
 * back from the store.
 */
final class MessageBuilder {
  /** The null sender of RFC 5321 section 4.5.5: no bounce may come back. */
  static final String NULL_SENDER = "<>";

  private final Set<String> seen = new HashSet<>();
  private final List<Recipient> recipients = new ArrayList<>();
  private final int maxRecipients;

  private MessageBuilder(int maxRecipients) {
    this.maxRecipients = maxRecipients;
  }

  /**
   * Throws a {@link Refusal} for an address that is none. The fields id, account_id, from and
   * subject must be there.
   */
  static Message build(
      MessageFields fields, String tenantId, Priority priority, int maxRecipients) {
    return new MessageBuilder(maxRecipients).message(fields, tenantId, priority);
  }

  private Message message(MessageFields fields, String tenantId, Priority priority) {
    String from = given(fields.from());
    Address author = address(from, "from", "/from");
    String sender = sender(fields.returnPath(), author);
    List<String> to = addresses(fields.to(), "to", true);
    List<String> cc = addresses(fields.cc(), "cc", true);
    List<String> bcc = addresses(fields.bcc(), "bcc", true);
    List<Attachment> attachments =
        fields.attachments().isEmpty()
            ? List.of()
            : fields.attachments().stream().map(AttachmentReader::derive).toList();
    return new Message(
        tenantId,
        given(fields.id()),
        given(fields.accountId()),
        priority,
        from.strip(),
        to,
        cc,
        bcc,
        addresses(fields.replyTo(), "reply_to", false),
        sender,
        given(fields.subject()),
        fields.body(),
        fields.html(),
        fields.headers(),
        blankToNull(fields.messageId()),
        attachments,
        fields.deferredTs(),
        fields.expiresTs(),
        blankToNull(fields.batchCode()),
        blankToNull(fields.onUncertain()),
        List.copyOf(recipients));
  }

  private static String sender(@Nullable String returnPath, Address author) {
    if (returnPath == null || returnPath.isBlank()) {
      return author.wire();
    }
    return returnPath.equals(NULL_SENDER)
        ? ""
        : address(returnPath, "return_path", "/return_path").wire();
  }

  private List<String> addresses(MessageFields.Entries entries, String field, boolean envelope) {
    List<String> texts = entries.texts();
    if (texts.isEmpty()) {
      return List.of();
    }
    List<String> kept = new ArrayList<>(texts.size());
    for (int i = 0; i < texts.size(); i++) {
      String text = texts.get(i);
      if (!text.isBlank()) {
        String here = entries.list() ? "/" + field + "/" + i : "/" + field;
        Address address = address(text, field, here);
        kept.add(text.strip());
        if (envelope) {
          recipient(address.wire(), here);
        }
      }
    }
    return List.copyOf(kept);
  }

  private void recipient(String wire, String pointer) {
    if (!seen.add(wire)) {
      return;
    }
    if (recipients.size() >= maxRecipients) {
      throw new Refusal(
          "too_many_recipients", "more than " + maxRecipients + " recipients", pointer);
    }
    recipients.add(new Recipient(recipients.size(), wire));
  }

  private static Address address(String text, String field, String pointer) {
    try {
      return Address.parse(text);
    } catch (IllegalArgumentException e) {
      throw new Refusal("invalid_address", field + ": " + e.getMessage(), pointer);
    }
  }

  private static String given(@Nullable String value) {
    if (value == null) {
      throw new IllegalArgumentException("a required field is absent");
    }
    return value;
  }

  private static @Nullable String blankToNull(@Nullable String value) {
    return value == null || value.isBlank() ? null : value;
  }
}
