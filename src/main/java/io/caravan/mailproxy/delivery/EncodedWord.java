package io.caravan.mailproxy.delivery;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * Words of a header in UTF-8 (RFC 2047), each line at most 76 characters. The library's encoder
 * does not know the column a word begins in, so its lines grow over that.
 */
final class EncodedWord {
  static final int MAX_LINE = 76;
  private static final int MAX_WORD = 75;
  private static final String MARKS = "!*+-/";
  private static final char[] HEX = "0123456789ABCDEF".toCharArray();

  /** {@code =?utf-8?Q?} and {@code ?=}. */
  private static final int FRAME = 12;

  private EncodedWord() {}

  /**
   * Appends the text as encoded words, good for a phrase too (RFC 2047 section 5).
   *
   * @param column characters that stand in the line already
   * @return characters that stand in the last line
   */
  static int append(StringBuilder out, int column, String text) {
    boolean base64 = quotedLength(text) > base64Length(utf8(text).length);
    int start = 0;
    int length = 0;
    int bytes = 0;
    int at = column;
    for (int i = 0; i < text.length(); ) {
      int next = i + Character.charCount(text.codePointAt(i));
      String character = text.substring(i, next);
      int grown =
          base64 ? base64Length(bytes + utf8(character).length) : length + quotedLength(character);
      if (i > start && (at + FRAME + grown > MAX_LINE || FRAME + grown > MAX_WORD)) {
        word(out, text.substring(start, i), base64);
        out.append("\r\n ");
        at = 1;
        start = i;
        bytes = 0;
        grown = base64 ? base64Length(utf8(character).length) : quotedLength(character);
      }
      length = grown;
      bytes += utf8(character).length;
      i = next;
    }
    word(out, text.substring(start), base64);
    return at + FRAME + length;
  }

  private static void word(StringBuilder out, String text, boolean base64) {
    out.append("=?utf-8?").append(base64 ? 'B' : 'Q').append('?');
    if (base64) {
      out.append(Base64.getEncoder().encodeToString(utf8(text)));
    } else {
      for (byte b : utf8(text)) {
        if (b == ' ') {
          out.append('_');
        } else if (isPlain(b)) {
          out.append((char) b);
        } else {
          out.append('=').append(HEX[(b >> 4) & 15]).append(HEX[b & 15]);
        }
      }
    }
    out.append("?=");
  }

  private static int quotedLength(String text) {
    int length = 0;
    for (byte b : utf8(text)) {
      length += b == ' ' || isPlain(b) ? 1 : 3;
    }
    return length;
  }

  private static int base64Length(int bytes) {
    return (bytes + 2) / 3 * 4;
  }

  private static boolean isPlain(int b) {
    return (b >= 'a' && b <= 'z')
        || (b >= 'A' && b <= 'Z')
        || (b >= '0' && b <= '9')
        || MARKS.indexOf(b) >= 0;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
