package io.caravan.mailproxy.intake;

import io.caravan.mailproxy.message.HeaderRules;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** What the values of one item must keep, addresses and recipients apart (B1–B6, B24, B50). */
final class ValueRules {
  static final int MAX_ID_CHARS = 255;
  private static final int MAX_BATCH_CODE_CHARS = 64;
  private static final int MAX_MESSAGE_ID_CHARS = 250;

  private ValueRules() {}

  static void check(MessageFields fields, IntakeLimits limits) {
    checkId(fields.id());
    checkSubject(fields.subject());
    checkHeaders(fields.headers());
    checkMessageId(fields.messageId());
    checkBatchCode(fields.batchCode());
    checkOnUncertain(fields.onUncertain());
    for (int i = 0; i < fields.attachments().size(); i++) {
      AttachmentReader.check(fields.attachments().get(i), "/attachments/" + i);
    }
    checkSize(fields, limits.maxMessageBytes());
  }

  private static void checkId(@Nullable String id) {
    if (id != null && (chars(id) > MAX_ID_CHARS || HeaderRules.hasControl(id))) {
      throw new Refusal(
          "invalid_id",
          "id must have 1 to " + MAX_ID_CHARS + " characters, no control characters",
          "/id");
    }
  }

  private static void checkSubject(@Nullable String subject) {
    String problem = subject == null ? null : HeaderRules.valueProblem(subject);
    if (problem != null) {
      throw new Refusal("invalid_subject", "subject: " + problem, "/subject");
    }
  }

  private static void checkHeaders(Map<String, String> headers) {
    if (headers.size() > HeaderRules.MAX_HEADERS) {
      throw new Refusal(
          "too_many_headers", "more than " + HeaderRules.MAX_HEADERS + " headers", "/headers");
    }
    for (Map.Entry<String, String> header : headers.entrySet()) {
      String name = header.getKey();
      String problem = HeaderRules.nameProblem(name);
      if (problem != null) {
        throw new Refusal("invalid_header", problem, "/headers");
      }
      if (HeaderRules.isReserved(name)) {
        throw new Refusal(
            "reserved_header",
            "header " + name + " cannot be set here, use the message's own field if it has one",
            "/headers" + Refusal.step(name));
      }
      problem = HeaderRules.valueProblem(header.getValue());
      if (problem != null) {
        throw new Refusal(
            "invalid_header", "header " + name + ": " + problem, "/headers" + Refusal.step(name));
      }
    }
  }

  /** {@code <left@right>} of visible ASCII (RFC 5322 section 3.6.4). */
  private static void checkMessageId(@Nullable String messageId) {
    if (messageId == null || messageId.isEmpty()) {
      return;
    }
    int last = messageId.length() - 1;
    int at = messageId.indexOf('@');
    boolean valid =
        last < MAX_MESSAGE_ID_CHARS
            && messageId.charAt(0) == '<'
            && messageId.charAt(last) == '>'
            && at > 1
            && at < last - 1
            && messageId.indexOf('@', at + 1) < 0;
    for (int i = 1; valid && i < last; i++) {
      char c = messageId.charAt(i);
      valid = c > ' ' && c <= '~' && c != '<' && c != '>';
    }
    if (!valid) {
      throw new Refusal(
          "invalid_message_id",
          "message_id must have the form <left@right>, at most "
              + MAX_MESSAGE_ID_CHARS
              + " visible ASCII characters",
          "/message_id");
    }
  }

  private static void checkBatchCode(@Nullable String code) {
    if (code != null
        && (chars(code) > MAX_BATCH_CODE_CHARS
            || code.indexOf(',') >= 0
            || HeaderRules.hasControl(code))) {
      throw new Refusal(
          "invalid_batch_code",
          "batch_code must have at most "
              + MAX_BATCH_CODE_CHARS
              + " characters, no commas and control characters",
          "/batch_code");
    }
  }

  private static void checkOnUncertain(@Nullable String choice) {
    if (choice != null && !choice.isBlank() && !choice.equals("retry") && !choice.equals("hold")) {
      throw new Refusal(
          "invalid_on_uncertain", "on_uncertain must be retry or hold", "/on_uncertain");
    }
  }

  private static void checkSize(MessageFields fields, long max) {
    if (3 * size(fields, String::length) <= max) {
      return; // no character has more than three bytes for each of its chars
    }
    long bytes = size(fields, HeaderRules::utf8Length);
    if (bytes > max) {
      throw new Refusal(
          "message_too_large",
          "message has " + bytes + " bytes with its attachments, at most " + max + " are accepted",
          "");
    }
  }

  private static long size(MessageFields fields, ToLongFunction<String> length) {
    long size = length.applyAsLong(fields.body());
    for (Map.Entry<String, String> header : fields.headers().entrySet()) {
      size += header.getKey().length() + length.applyAsLong(header.getValue());
    }
    for (AttachmentFields attachment : fields.attachments()) {
      size += attachment.storagePath().length() / 4 * 3L;
    }
    return size;
  }

  private static int chars(String text) {
    return text.codePointCount(0, text.length());
  }
}
