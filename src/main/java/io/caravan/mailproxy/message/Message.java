package io.caravan.mailproxy.message;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a client submitted, validated. Known by (tenant, client id); never changes once stored.
 *
 * @param id the client's id, unique per tenant, 1 to 255 characters
 * @param from header From as given, display name allowed; {@code to}, {@code cc}, {@code bcc} and
 *     {@code replyTo} likewise
 * @param sender envelope sender as it goes on the wire ({@code local@domain}): from {@code
 *     return_path}, else from {@code from}
 * @param html whether {@code body} is text/html, else text/plain
 * @param headers further headers, names and values checked
 * @param messageId value for the Message-ID header; {@code null}: made from the message's key
 * @param deferredTs not sent before this Unix second; {@code null}: at once
 * @param expiresTs given up after this Unix second; {@code null}: after message.max-age-seconds
 * @param onUncertain {@code retry} or {@code hold}, what becomes of an attempt of which nobody
 *     knows whether it was delivered; {@code null}: what the account says
 * @param recipients envelope recipients, duplicates removed, in order of to, cc, bcc
 */
public record Message(
    String tenantId,
    String id,
    String accountId,
    Priority priority,
    String from,
    List<String> to,
    List<String> cc,
    List<String> bcc,
    List<String> replyTo,
    String sender,
    String subject,
    String body,
    boolean html,
    Map<String, String> headers,
    @Nullable String messageId,
    List<Attachment> attachments,
    @Nullable Long deferredTs,
    @Nullable Long expiresTs,
    @Nullable String batchCode,
    @Nullable String onUncertain,
    List<Recipient> recipients) {

  /** Without what the mail says: this text may reach a log. */
  @Override
  public String toString() {
    return "Message[" + tenantId + "/" + id + "]";
  }
}
