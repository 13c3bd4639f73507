package io.caravan.mailproxy.delivery;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A body in seven bits with CRLF line ends (RFC 2045 section 6). As it is where it may be, else
 * quoted-printable, or base64 where most of it is not ASCII, as Jakarta Mail chooses.
 */
final class BodyText {
  private static final int MAX_LINE = 998;
  private static final int MAX_QUOTED_LINE = 76;
  private static final byte[] HEX = "0123456789ABCDEF".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] CRLF = {'\r', '\n'};

  private final String encoding;
  private final byte[] bytes;

  private BodyText(String encoding, byte[] bytes) {
    this.encoding = encoding;
    this.bytes = bytes;
  }

  /** Value of Content-Transfer-Encoding. */
  String encoding() {
    return encoding;
  }

  byte[] bytes() {
    return bytes;
  }

  static BodyText of(String body) {
    byte[] ascii = plain(body);
    if (ascii != null) {
      return new BodyText("7bit", ascii);
    }
    byte[] bytes = crlf(body).getBytes(StandardCharsets.UTF_8);
    int high = 0;
    for (byte b : bytes) {
      if (b < 0) {
        high++;
      }
    }
    return high > bytes.length - high
        ? new BodyText("base64", Base64.getMimeEncoder(76, CRLF).encode(bytes))
        : new BodyText("quoted-printable", quotedPrintable(bytes));
  }

  /** Whether a text in ASCII stands in the encoded body. */
  boolean contains(String text) {
    return new String(bytes, StandardCharsets.ISO_8859_1).contains(text);
  }

  /** The body as it is; {@code null}: it does not fit into seven bits and lines of 998. */
  private static byte @Nullable [] plain(String body) {
    byte[] in = body.getBytes(StandardCharsets.UTF_8);
    byte[] out = new byte[in.length + in.length / 16 + 16];
    int at = 0;
    for (int start = 0; start < in.length; ) {
      int end = endOfLine(in, start);
      int length = end - start;
      if (length > MAX_LINE || (end < in.length && in[end] != '\r' && in[end] != '\n')) {
        return null;
      }
      if (at + length + 2 > out.length) {
        out = Arrays.copyOf(out, 2 * out.length + length);
      }
      System.arraycopy(in, start, out, at, length);
      at += length;
      if (end < in.length) {
        out[at++] = '\r';
        out[at++] = '\n';
      }
      boolean both = end + 1 < in.length && in[end] == '\r' && in[end + 1] == '\n';
      start = end + (both ? 2 : 1);
    }
    return Arrays.copyOf(out, at);
  }

  /** Where printable ASCII and tabs end. */
  private static int endOfLine(byte[] in, int start) {
    int end = start;
    while (end < in.length && ((in[end] >= ' ' && in[end] <= '~') || in[end] == '\t')) {
      end++;
    }
    return end;
  }

  private static String crlf(String body) {
    StringBuilder out = new StringBuilder(body.length() + body.length() / 16);
    for (int i = 0; i < body.length(); i++) {
      char c = body.charAt(i);
      if (c == '\r' || c == '\n') {
        if (c == '\r' && i + 1 < body.length() && body.charAt(i + 1) == '\n') {
          i++;
        }
        out.append("\r\n");
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }

  /** RFC 2045 section 6.7. The library's encoder takes ten times as long, byte by byte. */
  private static byte[] quotedPrintable(byte[] text) {
    byte[] out = new byte[text.length + text.length / 4 + 64];
    int at = 0;
    int column = 0;
    for (int i = 0; i < text.length; i++) {
      if (at + 6 > out.length) {
        out = Arrays.copyOf(out, out.length * 2);
      }
      byte b = text[i];
      if (b == '\r') {
        i++;
        out[at++] = '\r';
        out[at++] = '\n';
        column = 0;
        continue;
      }
      boolean last = i + 1 == text.length || text[i + 1] == '\r';
      boolean blank = b == ' ' || b == '\t';
      boolean plain = blank ? !last : b > ' ' && b <= '~' && b != '=';
      int width = plain ? 1 : 3;
      if (column + width > (last ? MAX_QUOTED_LINE : MAX_QUOTED_LINE - 1)) {
        out[at++] = '=';
        out[at++] = '\r';
        out[at++] = '\n';
        column = 0;
      }
      if (plain) {
        out[at++] = b;
      } else {
        out[at++] = '=';
        out[at++] = HEX[(b >> 4) & 15];
        out[at++] = HEX[b & 15];
      }
      column += width;
    }
    return Arrays.copyOf(out, at);
  }
}
