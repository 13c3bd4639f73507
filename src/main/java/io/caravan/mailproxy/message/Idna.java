package io.caravan.mailproxy.message;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * International domain names by IDNA2008: what a label may hold (RFC 5892), the rule for
 * right-to-left labels (RFC 5893), and the mapping of what users type (RFC 5895: lower case, full
 * and half width, ideographic full stops). {@code faß.de} is a name of its own, not fasse.de.
 *
 * <p>Stricter than the standard in one place: a joiner (U+200C, U+200D) stands after a virama only.
 */
final class Idna {
  /** Letters that stay what they are although case folding would change them (RFC 5892, 2.6). */
  private static final String KEPT = "\u00DF\u03C2\u06FD\u06FE\u0F0B\u3007";

  /** Capital sharp s: mapped to ss and to ß by different versions, so nobody can mean it. */
  private static final int CAPITAL_SHARP_S = 0x1E9E;

  /** RFC 5892 section 2.6, DISALLOWED, and 2.10: fillers and selectors that leave no mark. */
  private static final String NEVER =
      "\u0640\u07FA\u302E\u302F\u3031\u3032\u3033\u3034\u3035\u303B\u115F\u1160\u17B4\u17B5\u3164";

  private static final String VIRAMAS =
      "\u094D\u09CD\u0A4D\u0ACD\u0B4D\u0BCD\u0C4D\u0CCD\u0D3B\u0D3C\u0D4D\u0DCA\u0E3A\u0EBA\u0F84"
          + "\u1039\u103A\u1714\u1734\u17D2\u1A60\u1B44\u1BAA\u1BAB\u1BF2\u1BF3\u2D7F\uA806\uA8C4"
          + "\uA953\uA9C0\uAAF6\uABED";

  private static final int MAX_LABEL = 63;

  private Idna() {}

  /**
   * The name in A-labels; labels in ASCII stay as they are.
   *
   * @throws IllegalArgumentException a label is none that IDNA2008 knows
   */
  static String toAscii(String domain) {
    if (domain.indexOf(CAPITAL_SHARP_S) >= 0) {
      throw wrong();
    }
    String mapped = Normalizer.normalize(mapped(domain), Normalizer.Form.NFC);
    List<String> labels = new ArrayList<>();
    boolean rightToLeft = mapped.codePoints().anyMatch(Idna::isRightToLeft);
    for (String label : mapped.split("\\.", -1)) {
      if (label.chars().allMatch(c -> c < 0x80)) {
        labels.add(label);
        continue;
      }
      int[] points = label.codePoints().toArray();
      check(label, points);
      if (rightToLeft) {
        checkDirections(points);
      }
      labels.add("xn--" + Punycode.encode(points));
    }
    return String.join(".", labels);
  }

  private static String mapped(String domain) {
    StringBuilder mapped = new StringBuilder();
    domain
        .codePoints()
        .forEach(
            c -> {
              String s = Character.toString(c);
              if (c >= 0xFF00 && c <= 0xFFEF) {
                s = Normalizer.normalize(s, Normalizer.Form.NFKC);
              }
              // one at a time: at the end of a word Java would make a final sigma of a capital one
              mapped.append(s.toLowerCase(Locale.ROOT));
            });
    return mapped.toString().replace('\u3002', '.');
  }

  private static void check(String label, int[] points) {
    if (label.length() > MAX_LABEL
        || label.startsWith("-")
        || label.endsWith("-")
        || label.startsWith("--", 2)
        || isMark(points[0])) {
      throw wrong();
    }
    for (int i = 0; i < points.length; i++) {
      if (!allowed(points, i)) {
        throw wrong();
      }
    }
  }

  /** RFC 5892 section 3, with its contextual rules of appendix A. */
  private static boolean allowed(int[] points, int i) {
    int c = points[i];
    if (c < 0x80) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    }
    if (KEPT.indexOf(c) >= 0) {
      return true;
    }
    return switch (c) {
      case 0x200C, 0x200D -> i > 0 && VIRAMAS.indexOf(points[i - 1]) >= 0;
      case 0x00B7 -> i > 0 && i + 1 < points.length && points[i - 1] == 'l' && points[i + 1] == 'l';
      case 0x0375 -> i + 1 < points.length && isOf(points[i + 1], Character.UnicodeScript.GREEK);
      case 0x05F3, 0x05F4 -> i > 0 && isOf(points[i - 1], Character.UnicodeScript.HEBREW);
      case 0x30FB -> hasJapanese(points);
      default -> isLetterDigit(c) && digitsFit(points, c);
    };
  }

  private static boolean isLetterDigit(int c) {
    boolean kind =
        switch (Character.getType(c)) {
          case Character.LOWERCASE_LETTER,
              Character.OTHER_LETTER,
              Character.MODIFIER_LETTER,
              Character.DECIMAL_DIGIT_NUMBER,
              Character.NON_SPACING_MARK,
              Character.COMBINING_SPACING_MARK ->
              true;
          default -> false;
        };
    return kind && NEVER.indexOf(c) < 0 && !excluded(c) && isStable(c);
  }

  /** Blocks of RFC 5892 sections 2.4 and 2.9, and variation selectors. */
  private static boolean excluded(int c) {
    return (c >= 0x1100 && c <= 0x11FF)
        || (c >= 0xA960 && c <= 0xA97F)
        || (c >= 0xD7B0 && c <= 0xD7FF)
        || (c >= 0x20D0 && c <= 0x20FF)
        || (c >= 0x180B && c <= 0x180F)
        || (c >= 0xFE00 && c <= 0xFE0F)
        || (c >= 0x1D100 && c <= 0x1D24F)
        || (c >= 0xE0100 && c <= 0xE01EF);
  }

  /** Section 2.2: neither compatibility forms nor what case folding takes apart (iota below). */
  private static boolean isStable(int c) {
    String s = Character.toString(c);
    String folded = Normalizer.normalize(s, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT);
    return s.equals(Normalizer.normalize(folded, Normalizer.Form.NFKC))
        && Normalizer.normalize(s, Normalizer.Form.NFD).indexOf('\u0345') < 0;
  }

  /** Appendix A.8 and A.9: the two rows of Arabic digits do not mix. */
  private static boolean digitsFit(int[] points, int c) {
    return !isArabicDigit(c, 0x0660) || noneOf(points, 0x06F0);
  }

  private static boolean noneOf(int[] points, int zero) {
    for (int point : points) {
      if (isArabicDigit(point, zero)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isArabicDigit(int c, int zero) {
    return c >= zero && c <= zero + 9;
  }

  private static boolean hasJapanese(int[] points) {
    for (int c : points) {
      boolean japanese =
          isOf(c, Character.UnicodeScript.HIRAGANA)
              || isOf(c, Character.UnicodeScript.KATAKANA)
              || isOf(c, Character.UnicodeScript.HAN);
      if (japanese && c != 0x30FB) {
        return true;
      }
    }
    return false;
  }

  private static boolean isOf(int c, Character.UnicodeScript script) {
    return Character.UnicodeScript.of(c) == script;
  }

  private static boolean isMark(int c) {
    int type = Character.getType(c);
    return type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK;
  }

  private static boolean isRightToLeft(int c) {
    return switch (Character.getDirectionality(c)) {
      case Character.DIRECTIONALITY_RIGHT_TO_LEFT,
          Character.DIRECTIONALITY_RIGHT_TO_LEFT_ARABIC,
          Character.DIRECTIONALITY_ARABIC_NUMBER ->
          true;
      default -> false;
    };
  }

  /** RFC 5893 section 2, for the labels of a name that has a right-to-left character. */
  private static void checkDirections(int[] points) {
    byte first = Character.getDirectionality(points[0]);
    boolean left = first == Character.DIRECTIONALITY_LEFT_TO_RIGHT;
    if (!left
        && first != Character.DIRECTIONALITY_RIGHT_TO_LEFT
        && first != Character.DIRECTIONALITY_RIGHT_TO_LEFT_ARABIC) {
      throw wrong();
    }
    boolean european = false;
    boolean arabic = false;
    byte last = first;
    for (int c : points) {
      byte direction = Character.getDirectionality(c);
      boolean letterOfOtherWay =
          left ? isRightToLeft(c) : direction == Character.DIRECTIONALITY_LEFT_TO_RIGHT;
      european |= direction == Character.DIRECTIONALITY_EUROPEAN_NUMBER;
      arabic |= direction == Character.DIRECTIONALITY_ARABIC_NUMBER;
      if (letterOfOtherWay || (european && arabic)) {
        throw wrong();
      }
      if (direction != Character.DIRECTIONALITY_NONSPACING_MARK) {
        last = direction;
      }
    }
    boolean number =
        last == Character.DIRECTIONALITY_EUROPEAN_NUMBER
            || last == Character.DIRECTIONALITY_ARABIC_NUMBER;
    boolean letter =
        left
            ? last == Character.DIRECTIONALITY_LEFT_TO_RIGHT
            : last == Character.DIRECTIONALITY_RIGHT_TO_LEFT
                || last == Character.DIRECTIONALITY_RIGHT_TO_LEFT_ARABIC;
    if (!number && !letter) {
      throw wrong();
    }
  }

  private static IllegalArgumentException wrong() {
    return new IllegalArgumentException("not a label of IDNA2008");
  }
}
