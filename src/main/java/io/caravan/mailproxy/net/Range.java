package io.caravan.mailproxy.net;

import io.netty.util.NetUtil;
import org.jspecify.annotations.Nullable;

/** Addresses that begin alike: a CIDR block (RFC 4632, RFC 4291 section 2.3). */
final class Range {
  private final byte[] prefix;
  private final int bits;

  private Range(byte[] prefix, int bits) {
    this.prefix = prefix;
    this.bits = bits;
  }

  /**
   * Reads {@code 10.0.0.0/8}, {@code fd00::/8}, or one address.
   *
   * @throws IllegalArgumentException it is neither
   */
  static Range of(String text) {
    int slash = text.indexOf('/');
    byte[] prefix =
        NetUtil.createByteArrayFromIpAddressString(slash < 0 ? text : text.substring(0, slash));
    int bits = prefix == null ? -1 : prefix.length * Byte.SIZE;
    if (slash >= 0 && bits >= 0) {
      bits = length(text.substring(slash + 1), bits);
    }
    if (prefix == null || bits < 0) {
      throw new IllegalArgumentException(text + " is no range such as 10.0.0.0/8 or fd00::/8");
    }
    return new Range(prefix, bits);
  }

  private static int length(String text, int most) {
    return text.matches("[0-9]{1,3}") && Integer.parseInt(text) <= most
        ? Integer.parseInt(text)
        : -1;
  }

  /** Whether an address of the same version is one of them. */
  boolean holds(byte @Nullable [] address) {
    if (address == null || address.length != prefix.length) {
      return false;
    }
    for (int i = 0; i < bits; i++) {
      int mask = 0x80 >> i % Byte.SIZE;
      if (((address[i / Byte.SIZE] ^ prefix[i / Byte.SIZE]) & mask) != 0) {
        return false;
      }
    }
    return true;
  }
}
