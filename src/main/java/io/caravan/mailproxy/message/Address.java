package io.caravan.mailproxy.message;

import java.util.ArrayList;
import java.util.List;

/**
 * One mailbox (RFC 5322 section 3.4), read strictly: the domain that was checked is the domain that
 * goes on the wire.
 *
 * @param display the name shown to readers, unquoted; empty: none
 * @param local local part in wire form, quoted where it must be; non-ASCII needs SMTPUTF8 (RFC
 *     6531)
 * @param domain lower case, A-labels (RFC 5890)
 */
public record Address(String display, String local, String domain) {

  /**
   * Reads {@code local@domain} or {@code Name <local@domain>}.
   *
   * @throws IllegalArgumentException with the reason in words for a client: not one mailbox, a
   *     group, an address literal, a comment, a control character, a length over RFC 5321 section
   *     4.5.3.1
   */
  public static Address parse(String text) {
    return AddressParser.parse(text);
  }

  /** {@code local@domain} as it goes on the wire. */
  public String wire() {
    return local + '@' + domain;
  }

  /** Splits a comma-separated list; commas in quotes and angle brackets do not count. */
  public static List<String> split(String list) {
    if (list.indexOf(',') < 0) {
      return List.of(list);
    }
    List<String> parts = new ArrayList<>();
    boolean quoted = false;
    boolean angle = false;
    int start = 0;
    for (int i = 0; i < list.length(); i++) {
      char c = list.charAt(i);
      if (quoted && c == '\\') {
        i++;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (!quoted && (c == '<' || c == '>')) {
        angle = c == '<';
      } else if (c == ',' && !quoted && !angle) {
        parts.add(list.substring(start, i));
        start = i + 1;
      }
    }
    parts.add(list.substring(start));
    return parts;
  }
}
