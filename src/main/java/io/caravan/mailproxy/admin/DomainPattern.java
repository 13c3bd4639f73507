package io.caravan.mailproxy.admin;

import io.caravan.mailproxy.http.JsonFields;
import io.caravan.mailproxy.message.Address;

/** A domain, or all domains below it, as throttle rules and sender domains name them. */
final class DomainPattern {
  /** Stands for all domains below the one that follows. */
  static final String BELOW = "*.";

  private DomainPattern() {}

  /**
   * As addresses have it: lower case, A-labels.
   *
   * @throws io.caravan.mailproxy.http.Problem 422 it is none
   */
  static String read(JsonFields form, String field, String text) {
    boolean below = text.startsWith(BELOW);
    String name = below ? text.substring(BELOW.length()) : text;
    try {
      if (name.indexOf('@') < 0 && name.indexOf('<') < 0) {
        return (below ? BELOW : "") + Address.parse("x@" + name).domain();
      }
    } catch (IllegalArgumentException e) {
      // answered below
    }
    throw form.wrong(field, "Input should be domains such as example.com or *.example.com");
  }
}
