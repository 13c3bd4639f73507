package io.caravan.mailproxy.message;

import java.util.Locale;

/**
 * The grammar behind {@link Address#parse}: RFC 5322 section 3.4.1 without comments, folding,
 * groups, literals and obsolete forms. Linear in the length of the text.
 */
final class AddressParser {
  private static final int MAX_CHARS = 700;
  private static final int MAX_LOCAL_BYTES = 64;
  private static final int MAX_DOMAIN_CHARS = 253;

  /** RFC 5321 section 4.5.3.1.3: 256 with the angle brackets. */
  private static final int MAX_WIRE_BYTES = 254;

  private static final int MAX_LABEL_CHARS = 63;
  private static final String ATEXT_MARKS = "!#$%&'*+-/=?^_`{|}~";
  private static final char BOM = '\uFEFF';

  private AddressParser() {}

  static Address parse(String text) {
    String s = withoutBlanks(text);
    if (s.isEmpty()) {
      throw refuse("address is empty");
    }
    if (s.length() > MAX_CHARS) {
      throw refuse("address is longer than " + MAX_CHARS + " characters");
    }
    if (HeaderRules.hasControl(s) || s.indexOf(BOM) >= 0) {
      throw refuse("address contains a control character");
    }
    if (s.charAt(s.length() - 1) != '>') {
      return mailbox("", s);
    }
    StringBuilder display = new StringBuilder();
    int open = phrase(s, display);
    return mailbox(withoutBlanks(display.toString()), s.substring(open + 1, s.length() - 1));
  }

  /** Blanks alone: what else String.trim drops has no place next to an address. */
  private static String withoutBlanks(String s) {
    int start = 0;
    int end = s.length();
    while (start < end && s.charAt(start) == ' ') {
      start++;
    }
    while (end > start && s.charAt(end - 1) == ' ') {
      end--;
    }
    return s.substring(start, end);
  }

  /** Reads the display name; returns where the angle bracket stands. */
  private static int phrase(String s, StringBuilder display) {
    boolean quoted = false;
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (quoted && c == '\\' && i + 1 < s.length()) {
        i++;
        display.append(s.charAt(i));
      } else if (c == '"') {
        quoted = !quoted;
      } else if (quoted) {
        display.append(c);
      } else if (c == '<') {
        return i;
      } else if (c == '@') {
        throw refuse("address has an @ outside of quotes before the angle bracket");
      } else if (c == ':' || c == ';') {
        throw refuse("groups of addresses are not accepted");
      } else if (c == ',') {
        throw refuse("one address is expected here, not a list");
      } else if (c == '>' || c == '\\') {
        throw refuse("display name holds a character that must be quoted");
      } else {
        display.append(c);
      }
    }
    throw refuse(quoted ? "quotes are not closed" : "address has > without <");
  }

  private static Address mailbox(String display, String spec) {
    int at = spec.startsWith("\"") ? afterQuotes(spec) : spec.indexOf('@');
    if (at < 0 || at >= spec.length() || spec.charAt(at) != '@') {
      if (spec.indexOf(';') >= 0 || spec.indexOf(':') >= 0) {
        throw refuse("groups of addresses are not accepted");
      }
      throw refuse("address must have the form local@domain");
    }
    String local = local(spec.substring(0, at));
    String domain = domain(spec.substring(at + 1));
    if (HeaderRules.utf8Length(local) + 1 + domain.length() > MAX_WIRE_BYTES) {
      throw refuse("address is longer than " + MAX_WIRE_BYTES + " bytes");
    }
    return new Address(display, local, domain);
  }

  private static int afterQuotes(String spec) {
    int close = spec.indexOf('"', 1);
    return close < 0 ? -1 : close + 1;
  }

  private static String local(String local) {
    if (local.isEmpty()) {
      throw refuse("address has no local part");
    }
    if (HeaderRules.utf8Length(local) > MAX_LOCAL_BYTES) {
      throw refuse("local part of the address is longer than " + MAX_LOCAL_BYTES + " bytes");
    }
    if (local.charAt(0) == '"') {
      return quotedLocal(local);
    }
    if (local.contains("=?")) {
      throw refuse("encoded words have no place in an address");
    }
    if (!isDotAtom(local)) {
      throw refuse("local part of the address holds a character that is not allowed there");
    }
    return local;
  }

  /**
   * Quotes are kept where they are needed. What other software takes for the end of the address is
   * refused even in quotes: a relay with a weaker parser must not see another domain.
   */
  private static String quotedLocal(String local) {
    String inner = local.substring(1, local.length() - 1);
    for (int i = 0; i < inner.length(); i++) {
      char c = inner.charAt(i);
      if (c <= ' ' || c > '~' || "@<>\\\"".indexOf(c) >= 0) {
        throw refuse("quoted local part of the address holds a character that is not accepted");
      }
    }
    if (inner.contains("=?")) {
      throw refuse("encoded words have no place in an address");
    }
    return !inner.isEmpty() && isDotAtom(inner) ? inner : local;
  }

  private static boolean isDotAtom(String local) {
    boolean dot = true;
    for (int i = 0; i < local.length(); ) {
      int c = local.codePointAt(i);
      if (c == '.') {
        if (dot) {
          return false;
        }
        dot = true;
      } else {
        if (!isAtext(c)) {
          return false;
        }
        dot = false;
      }
      i += Character.charCount(c);
    }
    return !dot;
  }

  private static boolean isAtext(int c) {
    if (c < 0x80) {
      return isLetterOrDigit(c) || ATEXT_MARKS.indexOf(c) >= 0;
    }
    return isVisible(c);
  }

  private static boolean isVisible(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }

  private static boolean isLetterOrDigit(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  private static String domain(String domain) {
    if (domain.startsWith("[")) {
      throw refuse("address literals are not accepted");
    }
    String ascii = isAscii(domain) ? domain : toAscii(domain);
    if (ascii.isEmpty() || ascii.length() > MAX_DOMAIN_CHARS) {
      throw refuse("domain of the address must have 1 to " + MAX_DOMAIN_CHARS + " characters");
    }
    checkLabels(ascii);
    return ascii.toLowerCase(Locale.ROOT);
  }

  private static boolean isAscii(String s) {
    for (int i = 0; i < s.length(); i++) {
      if (s.charAt(i) >= 0x80) {
        return false;
      }
    }
    return true;
  }

  private static String toAscii(String domain) {
    try {
      return Idna.toAscii(domain);
    } catch (IllegalArgumentException e) {
      throw refuse("domain of the address is not a valid international name");
    }
  }

  /** RFC 1123 section 2.1, and two labels at least. */
  private static void checkLabels(String domain) {
    int start = 0;
    boolean digits = true;
    for (int i = 0; i <= domain.length(); i++) {
      char c = i < domain.length() ? domain.charAt(i) : '.';
      if (c != '.') {
        if (!isLetterOrDigit(c) && c != '-') {
          throw refuse(
              c == '@'
                  ? "address has more than one @"
                  : "domain of the address holds a character that is not allowed there");
        }
        digits &= c >= '0' && c <= '9';
        continue;
      }
      int length = i - start;
      if (length == 0 || length > MAX_LABEL_CHARS) {
        throw refuse("domain of the address has an empty label or one over 63 characters");
      }
      if (domain.charAt(start) == '-' || domain.charAt(i - 1) == '-') {
        throw refuse("domain of the address has a label with a hyphen at its edge");
      }
      if (i < domain.length()) {
        start = i + 1;
        digits = true;
      }
    }
    if (start == 0) {
      throw refuse("domain of the address must be a full name with a dot");
    }
    if (digits) {
      throw refuse("IP addresses are not accepted as a domain");
    }
  }

  private static IllegalArgumentException refuse(String reason) {
    return new IllegalArgumentException(reason);
  }
}
