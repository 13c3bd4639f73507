package io.caravan.mailproxy.intake;

import java.util.Arrays;

/**
 * The strict form of base64 (RFC 4648 sections 3.2, 3.3, 3.5, 4): this alphabet alone, padded, no
 * line breaks, unused bits zero. Reads without decoding, so that a large file takes no room.
 */
final class Base64Text {
  private static final byte[] VALUES = new byte[128];

  static {
    Arrays.fill(VALUES, (byte) -1);
    String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < alphabet.length(); i++) {
      VALUES[alphabet.charAt(i)] = (byte) i;
    }
  }

  private Base64Text() {}

  static boolean isValid(String text) {
    int length = text.length();
    if (length == 0 || length % 4 != 0) {
      return false;
    }
    int padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
    int end = length - padding;
    for (int i = 0; i < end; i++) {
      if (value(text.charAt(i)) < 0) {
        return false;
      }
    }
    int unused = padding == 2 ? 0x0f : padding == 1 ? 0x03 : 0;
    return (value(text.charAt(end - 1)) & unused) == 0;
  }

  private static int value(char c) {
    return c < VALUES.length ? VALUES[c] : -1;
  }
}
