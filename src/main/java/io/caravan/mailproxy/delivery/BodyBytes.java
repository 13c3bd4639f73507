package io.caravan.mailproxy.delivery;

import java.util.Arrays;

/** A mail's bytes as DATA wants them: CRLF lines, dots doubled (RFC 5321 section 4.5.2). */
final class BodyBytes {
  private static final int FITS = 1;
  private static final int EIGHT_BIT = 2;

  private final byte[] bytes;
  private final boolean eightBit;

  private BodyBytes(byte[] bytes, boolean eightBit) {
    this.bytes = bytes;
    this.eightBit = eightBit;
  }

  /**
   * The same array when it may go out as it is, else a copy in which a bare CR or LF has become
   * CRLF, a dot at a line's begin is doubled, and the last line is ended: nothing in a mail can end
   * it early.
   */
  byte[] bytes() {
    return bytes;
  }

  /** Whether any byte is above 127. */
  boolean eightBit() {
    return eightBit;
  }

  static BodyBytes of(byte[] mail) {
    int n = mail.length;
    boolean ended = n >= 2 && mail[n - 2] == '\r' && mail[n - 1] == '\n';
    int seen = scan(mail);
    boolean fits = ended && (seen & FITS) != 0;
    return new BodyBytes(fits ? mail : converted(mail), (seen & EIGHT_BIT) != 0);
  }

  private static int scan(byte[] mail) {
    int n = mail.length;
    int result = FITS;
    for (int i = 0; i < n; i++) {
      byte b = mail[i];
      if (b > '.') {
        continue;
      }
      if (b < 0) {
        result |= EIGHT_BIT;
      } else if ((b == '\n' && (i == 0 || mail[i - 1] != '\r'))
          || (b == '\r' && (i + 1 == n || mail[i + 1] != '\n'))
          || (b == '.' && (i == 0 || mail[i - 1] == '\n'))) {
        result &= ~FITS;
      }
    }
    return result;
  }

  private static byte[] converted(byte[] mail) {
    byte[] out = new byte[mail.length + mail.length / 16 + 16];
    int size = 0;
    boolean lineStart = true;
    for (int i = 0; i < mail.length; i++) {
      if (size + 2 > out.length) {
        out = Arrays.copyOf(out, out.length + out.length / 2 + 16);
      }
      byte b = mail[i];
      if (b == '\r' || b == '\n') {
        if (b == '\r' && i + 1 < mail.length && mail[i + 1] == '\n') {
          i++;
        }
        out[size++] = '\r';
        out[size++] = '\n';
        lineStart = true;
      } else {
        if (lineStart && b == '.') {
          out[size++] = '.';
        }
        out[size++] = b;
        lineStart = false;
      }
    }
    byte[] exact = Arrays.copyOf(out, lineStart ? size : size + 2);
    if (!lineStart) {
      exact[size] = '\r';
      exact[size + 1] = '\n';
    }
    return exact;
  }
}
