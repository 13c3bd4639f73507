package io.caravan.mailproxy.intake;

/** A bad value in one item; becomes a {@link Rejection}. */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1L;

  final String code;
  final String reason;

  /** JSON pointer below the item, such as {@code /to/0}; empty: the item itself. */
  final String pointer;

  Refusal(String code, String reason, String pointer) {
    super(reason, null, false, false);
    this.code = code;
    this.reason = reason;
    this.pointer = pointer;
  }

  /** A name as one step of a JSON pointer (RFC 6901 section 3). */
  static String step(String name) {
    return "/" + name.replace("~", "~0").replace("/", "~1");
  }
}
