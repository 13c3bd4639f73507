package io.caravan.mailproxy.message;

/**
 * A file that travels with a message, its content given inline.
 *
 * @param filename as shown to the reader; no path, no control characters
 * @param mimeType {@code type/subtype}
 * @param base64 the content, RFC 4648 section 4 alphabet with padding
 */
public record Attachment(String filename, String mimeType, String base64) {

  /** Without its content: this text may reach a log. */
  @Override
  public String toString() {
    return "Attachment[" + filename + "]";
  }
}
