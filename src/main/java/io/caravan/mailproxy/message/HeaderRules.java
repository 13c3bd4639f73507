package io.caravan.mailproxy.message;

import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What may stand in a mail header that a client or an operator's route names (reliability-security
 * B1–B6). Applied at intake and once more where the mail is written.
 */
public final class HeaderRules {
  /** Further headers of one message. */
  public static final int MAX_HEADERS = 100;

  /** Bytes of one value in UTF-8, also of a subject. */
  public static final int MAX_VALUE_BYTES = 8 * 1024;

  private static final int MAX_NAME_CHARS = 76;

  /**
   * Headers that other fields or the proxy itself decide: envelope and identity, trace, signature,
   * MIME structure (reliability-security B5, RFC 5322 section 3.6, RFC 2045).
   */
  private static final Set<String> RESERVED =
      Set.of(
          "to",
          "cc",
          "bcc",
          "from",
          "sender",
          "return-path",
          "received",
          "dkim-signature",
          "mime-version",
          "message-id");

  /** Content-Language and the like say nothing about the structure. */
  private static final Set<String> FREE_CONTENT = Set.of("content-language", "content-location");

  private HeaderRules() {}

  /** Why a header of this name is refused; {@code null}: it is not. */
  public static @Nullable String nameProblem(String name) {
    if (name.isEmpty() || name.length() > MAX_NAME_CHARS) {
      return "header name must have 1 to " + MAX_NAME_CHARS + " characters";
    }
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c < '!' || c > '~' || c == ':') {
        return "header name may hold printable ASCII characters without blank and colon only";
      }
    }
    return null;
  }

  /** Why this value is refused; {@code null}: it is not. */
  public static @Nullable String valueProblem(String value) {
    if (hasControl(value)) {
      return "control characters and line breaks are not allowed";
    }
    if (utf8Length(value) > MAX_VALUE_BYTES) {
      return "longer than " + MAX_VALUE_BYTES + " bytes";
    }
    return null;
  }

  /** Whether the name belongs to another field of the message or to the proxy. */
  public static boolean isReserved(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return RESERVED.contains(lower)
        || lower.startsWith("resent-")
        || (lower.startsWith("content-") && !FREE_CONTENT.contains(lower));
  }

  /** Whether a text holds C0, DEL, C1, U+2028 or U+2029: what some reader takes for a line end. */
  public static boolean hasControl(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < ' ' || (c >= 0x7f && c <= 0x9f) || c == '\u2028' || c == '\u2029') {
        return true;
      }
    }
    return false;
  }

  /** Bytes of a text in UTF-8, without encoding it. */
  public static long utf8Length(String text) {
    long bytes = text.length();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        // a pair of surrogates makes four bytes
        bytes += c >= 0x800 && !Character.isSurrogate(c) ? 2 : 1;
      }
    }
    return bytes;
  }
}
