package io.caravan.mailproxy.delivery;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Reads replies off a connection, one at a time, however they are cut into packets. */
final class ReplyReader {
  /** Bytes of one reply after which it is given up. */
  private static final int MAX_REPLY = 64 * 1024;

  private static final int MAX_LINE = 2048;

  private final InputStream in;
  private final byte[] buffer = new byte[4096];
  private final byte[] line = new byte[MAX_LINE];
  private int position;
  private int limit;
  private int total;
  private boolean complete;

  ReplyReader(InputStream in) {
    this.in = in;
  }

  /** Whether bytes came that no command asked for. */
  boolean hasUnread() {
    return position < limit;
  }

  /**
   * The next reply.
   *
   * @param words whether the text of a positive reply is wanted too
   * @throws EOFException when the relay closed the connection
   * @throws IOException when it broke, or sent what is no reply
   */
  Reply read(boolean words) throws IOException {
    total = 0;
    int length = readLine();
    int code = code(length);
    if (!words && code < 400 && complete && !continues(length)) {
      return new Reply(code, null, "", false);
    }
    StringBuilder text = new StringBuilder(words(length));
    while (complete && continues(length)) {
      length = readLine();
      if (complete) {
        code = code(length);
      }
      if (text.length() <= Reply.MAX_TEXT) {
        text.append(' ').append(words(length));
      }
    }
    return new Reply(code, text.toString(), !complete);
  }

  /** Puts the head of the next line into {@link #line}; {@link #complete} is false past the cap. */
  private int readLine() throws IOException {
    int length = 0;
    complete = true;
    while (true) {
      if (position == limit) {
        fill();
      }
      int end = position;
      while (end < limit && buffer[end] != '\n') {
        end++;
      }
      int keep = Math.min(end - position, MAX_LINE - length);
      System.arraycopy(buffer, position, line, length, keep);
      length += keep;
      total += end - position + 1;
      boolean found = end < limit;
      position = found ? end + 1 : limit;
      if (found || total > MAX_REPLY) {
        complete = total <= MAX_REPLY;
        return length > 0 && line[length - 1] == '\r' ? length - 1 : length;
      }
    }
  }

  private void fill() throws IOException {
    int count = in.read(buffer, 0, buffer.length);
    if (count < 0) {
      throw new EOFException("the relay closed the connection");
    }
    position = 0;
    limit = count;
  }

  private int code(int length) throws IOException {
    int code = 0;
    for (int i = 0; i < 3; i++) {
      int digit = i < length ? line[i] - '0' : -1;
      if (digit < 0 || digit > 9) {
        throw notReply(length);
      }
      code = code * 10 + digit;
    }
    if (code < 200 || code > 599 || (length > 3 && line[3] != ' ' && line[3] != '-')) {
      throw notReply(length);
    }
    return code;
  }

  private IOException notReply(int length) {
    String head = new String(line, 0, Math.min(length, 80), StandardCharsets.UTF_8);
    return new IOException("the relay sent what is no SMTP reply: " + Reply.clean(head));
  }

  private boolean continues(int length) {
    return length > 3 && line[3] == '-';
  }

  private String words(int length) {
    return length > 4 ? new String(line, 4, length - 4, StandardCharsets.UTF_8) : "";
  }
}
