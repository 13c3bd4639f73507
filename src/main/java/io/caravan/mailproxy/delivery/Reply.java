package io.caravan.mailproxy.delivery;

import org.jspecify.annotations.Nullable;

/**
 * One reply of a relay (RFC 5321 section 4.2).
 *
 * @param code 200 to 599
 * @param enhanced enhanced status code (RFC 2034) when its class fits {@code code}
 * @param text the words, lines joined by a space, cleaned
 * @param overlong the reply went on past the limit: the connection is of no further use
 */
record Reply(int code, @Nullable String enhanced, String text, boolean overlong) {

  /** Longest text that is stored. */
  static final int MAX_TEXT = 1024;

  Reply(int code, String words, boolean overlong) {
    this(code, enhanced(code, words), clean(words), overlong);
  }

  boolean positive() {
    return code >= 200 && code < 300;
  }

  boolean closing() {
    return code == 421;
  }

  /**
   * A reply as the library hands it over, {@code "554-5.0.0 a\n554 5.0.0 b\n"}. Code 0 when it is
   * none.
   */
  static Reply parse(@Nullable String response) {
    if (response == null || response.isBlank()) {
      return new Reply(0, null, "no reply", false);
    }
    int code = code(response);
    if (code == 0) {
      return new Reply(0, null, clean(response.strip()), false);
    }
    StringBuilder words = new StringBuilder();
    for (String line : response.split("\r?\n", -1)) {
      if (line.length() > 4 && words.length() <= MAX_TEXT) {
        words.append(words.isEmpty() ? "" : " ").append(line, 4, line.length());
      }
    }
    return new Reply(code, words.toString(), false);
  }

  private static int code(String response) {
    if (response.length() < 3) {
      return 0;
    }
    int code = 0;
    for (int i = 0; i < 3; i++) {
      int digit = response.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return 0;
      }
      code = code * 10 + digit;
    }
    boolean ends = response.length() == 3 || " -\r\n".indexOf(response.charAt(3)) >= 0;
    return ends && code >= 200 && code < 600 ? code : 0;
  }

  /** {@code class.subject.detail} at the head of the words (RFC 2034 section 4). */
  static @Nullable String enhanced(int code, String words) {
    int length = words.length();
    if (length < 5 || words.charAt(0) - '0' != code / 100 || words.charAt(1) != '.') {
      return null;
    }
    int dots = 1;
    int digits = 0;
    int i = 2;
    for (; i < length; i++) {
      char c = words.charAt(i);
      if (c == '.' && digits > 0 && dots == 1) {
        dots++;
        digits = 0;
      } else if (c >= '0' && c <= '9' && digits < 3) {
        digits++;
      } else {
        break;
      }
    }
    boolean ends = i == length || words.charAt(i) == ' ';
    return dots == 2 && digits > 0 && ends ? words.substring(0, i) : null;
  }

  /**
   * Control characters as {@code \x1b}, cut to {@link #MAX_TEXT}: this goes to logs and reports.
   */
  static String clean(String words) {
    int length = words.length();
    boolean plain = length <= MAX_TEXT;
    for (int i = 0; plain && i < length; i++) {
      plain = !control(words.charAt(i));
    }
    if (plain) {
      return words;
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < length && out.length() <= MAX_TEXT; i++) {
      char c = words.charAt(i);
      if (control(c)) {
        out.append(String.format(c < 256 ? "\\x%02x" : "\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    if (out.length() > MAX_TEXT) {
      out.setLength(Character.isHighSurrogate(out.charAt(MAX_TEXT - 1)) ? MAX_TEXT - 1 : MAX_TEXT);
    }
    return out.toString();
  }

  private static boolean control(char c) {
    return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
  }
}
