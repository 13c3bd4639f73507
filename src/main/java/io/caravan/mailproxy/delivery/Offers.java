package io.caravan.mailproxy.delivery;

/**
 * What EHLO offered.
 *
 * @param size most bytes of a mail; -1: SIZE offered without a limit, 0: not offered
 */
record Offers(boolean pipelining, boolean eightBitMime, boolean smtpUtf8, long size) {
  static Offers of(RelaySession session) {
    long size = 0;
    if (session.supportsExtension("SIZE")) {
      String limit = session.getExtensionParameter("SIZE").strip();
      boolean number = !limit.isEmpty() && limit.length() < 19;
      number &= limit.chars().allMatch(c -> c >= '0' && c <= '9');
      size = number && Long.parseLong(limit) > 0 ? Long.parseLong(limit) : -1;
    }
    return new Offers(
        session.supportsExtension("PIPELINING"),
        session.supportsExtension("8BITMIME"),
        session.supportsExtension("SMTPUTF8"),
        size);
  }
}
