package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Address;
import io.caravan.mailproxy.message.HeaderRules;
import java.util.ArrayList;
import java.util.List;

/**
 * The header lines of a mail or of one of its parts, folded (RFC 5322 section 2.2.3). Whatever is
 * put, no value can begin a line of its own.
 */
final class HeaderBlock {
  /** Without a blank to fold at, longer text is encoded: a line holds 998 octets at most. */
  private static final int MAX_RUN = 900;

  private static final String ATEXT_MARKS = "!#$%&'*+-/=?^_`{|}~";

  private record Line(String name, String value) {}

  private final List<Line> lines = new ArrayList<>(16);

  /** Text without structure, replacing a header of this name. */
  void text(String name, String value) {
    String text = clean(name, value).trim();
    StringBuilder out = new StringBuilder(text.length() + 16);
    if (isFoldable(text)) {
      fold(out, name.length() + 2, text);
    } else {
      EncodedWord.append(out, name.length() + 2, text);
    }
    set(name, out.toString());
  }

  /** A header that a client or a route named: addresses if it is one of addresses. */
  void further(String name, String value) {
    if (name.equalsIgnoreCase("Reply-To")) {
      try {
        mailboxes(name, Address.split(value));
        return;
      } catch (IllegalArgumentException e) {
        // no list of addresses: written as the text it is
      }
    }
    text(name, value);
  }

  /** Text that must come back exactly, so that what a reader would change is encoded. */
  void exactText(String name, String value) {
    if (!value.contains("=?") && !value.contains("  ") && value.equals(value.trim())) {
      text(name, value);
      return;
    }
    StringBuilder out = new StringBuilder();
    EncodedWord.append(out, name.length() + 2, clean(name, value));
    set(name, out.toString());
  }

  /** Mailboxes as submitted, written with A-labels and encoded names. */
  void mailboxes(String name, List<String> texts) {
    StringBuilder out = new StringBuilder(64);
    int column = name.length() + 2;
    for (int i = 0; i < texts.size(); i++) {
      Address address = address(name, texts.get(i));
      if (i > 0) {
        out.append(',');
        column++;
      }
      column = mailbox(out, column, address, i == 0);
    }
    set(name, out.toString());
  }

  /** A value that was made here, folds and all. */
  void set(String name, String folded) {
    checkLines(name, folded);
    Line line = new Line(name, folded);
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).name.equalsIgnoreCase(name)) {
        lines.set(i, line);
        return;
      }
    }
    lines.add(line);
  }

  void writeTo(StringBuilder out) {
    for (Line line : lines) {
      out.append(line.name).append(": ").append(line.value).append("\r\n");
    }
  }

  private static Address address(String name, String text) {
    try {
      return Address.parse(clean(name, text));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("header " + name + ": " + e.getMessage(), e);
    }
  }

  private static String clean(String name, String value) {
    if (HeaderRules.hasControl(value)) {
      throw new IllegalArgumentException("header " + name + ": contains a control character");
    }
    return value;
  }

  /** The last guard: a line break stands only where the value goes on in the next line. */
  private static void checkLines(String name, String folded) {
    if (HeaderRules.nameProblem(name) != null) {
      throw new IllegalArgumentException("header name is not allowed: " + name.strip());
    }
    for (int i = 0; i < folded.length(); i++) {
      char c = folded.charAt(i);
      if (c == '\r' && folded.startsWith("\r\n ", i)) {
        i += 2;
      } else if (c < ' ' || c == 0x7f) {
        throw new IllegalArgumentException("header " + name + " contains a line break");
      }
    }
  }

  private static int mailbox(StringBuilder out, int column, Address address, boolean first) {
    String display = address.display();
    String phrase = display.isEmpty() ? "" : phrase(display) + " ";
    boolean plain = isFoldable(phrase);
    String wire = display.isEmpty() ? address.wire() : "<" + address.wire() + ">";
    String unit = plain ? phrase + wire : "";
    int at = column;
    if (!first) {
      // a short name stays on one line with its address
      int room = EncodedWord.MAX_LINE - at - 1;
      boolean fold = plain ? unit.length() > room : room < EncodedWord.MAX_LINE / 2;
      out.append(fold ? "\r\n " : " ");
      at = fold ? 1 : at + 1;
    }
    if (plain) {
      return fold(out, at, unit);
    }
    at = EncodedWord.append(out, at, display);
    return fold(out, at, " " + wire);
  }

  /** A display name in ASCII; encoded words that a client made are left as they are. */
  private static String phrase(String display) {
    boolean atoms = true;
    for (int i = 0; i < display.length() && atoms; i++) {
      char c = display.charAt(i);
      atoms =
          c == ' '
              || (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || ATEXT_MARKS.indexOf(c) >= 0;
    }
    return atoms ? display : '"' + display.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  /** Printable ASCII without a run that no line could hold. */
  private static boolean isFoldable(String text) {
    int run = 0;
    boolean word = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < ' ' || c > '~') {
        return false;
      }
      run = c == ' ' && word ? 1 : run + 1;
      word = c != ' ';
      if (run > MAX_RUN) {
        return false;
      }
    }
    return true;
  }

  /** Appends the text, broken before blanks; returns the column after it. */
  private static int fold(StringBuilder out, int column, String text) {
    int length = text.length();
    if (column + length <= EncodedWord.MAX_LINE) {
      out.append(text);
      return column + length;
    }
    int at = column;
    for (int start = 0, end; start < length; start = end) {
      end = start;
      while (end < length && text.charAt(end) == ' ') {
        end++;
      }
      while (end < length && text.charAt(end) != ' ') {
        end++;
      }
      if (text.charAt(start) == ' ' && at + end - start > EncodedWord.MAX_LINE) {
        out.append("\r\n");
        at = 0;
      }
      out.append(text, start, end);
      at += end - start;
    }
    return at;
  }
}
