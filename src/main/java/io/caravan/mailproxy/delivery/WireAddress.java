package io.caravan.mailproxy.delivery;

/** What an address must be before it may stand in a command. */
final class WireAddress {
  /** RFC 5321 section 4.5.3.1.3: a path of 256 octets, brackets included. */
  private static final int MAX_BYTES = 254;

  private WireAddress() {}

  /**
   * Whether it cannot break out of {@code <...>}: no control character, space, angle bracket or
   * half of a surrogate pair, something on both sides of the last {@code @}.
   */
  static boolean fits(String address) {
    int at = address.lastIndexOf('@');
    if (at < 1 || at == address.length() - 1) {
      return false;
    }
    int bytes = 0;
    for (int i = 0; i < address.length(); i++) {
      char c = address.charAt(i);
      if (c <= ' ' || c == '<' || c == '>' || (c >= 0x7f && c <= 0xa0)) {
        return false;
      }
      if (Character.isSurrogate(c)) {
        boolean pair =
            Character.isHighSurrogate(c)
                && i + 1 < address.length()
                && Character.isLowSurrogate(address.charAt(i + 1));
        if (!pair) {
          return false;
        }
        i++;
        bytes += 4;
      } else {
        bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
      }
    }
    return bytes <= MAX_BYTES;
  }

  static boolean ascii(String address) {
    for (int i = 0; i < address.length(); i++) {
      if (address.charAt(i) >= 0x80) {
        return false;
      }
    }
    return true;
  }
}
