package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Address;
import io.caravan.mailproxy.message.Attachment;
import io.caravan.mailproxy.message.HeaderRules;
import io.caravan.mailproxy.message.Message;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes a message as the bytes that go after DATA (RFC 5322, MIME), dots not yet doubled. The same
 * input gives the same bytes at any time on any machine, so that a second attempt sends what the
 * first one sent. Seven bits, except where an address has a local part that is not ASCII.
 *
 * <p>Assembled here rather than through {@code MimeMessage}, which costs several times as much per
 * mail and takes boundaries from the clock.
 */
public final class Composer {
  private static final String CLIENT_ID = "X-Genro-Mail-ID";
  private static final String CRLF = "\r\n";
  private static final String[] DAYS = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  private static final String[] MONTHS = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
  };

  /**
   * The complete mail with CRLF line ends, none over 998 octets, the last one ended.
   *
   * @param messagePk key of the message's row
   * @param acceptedAtMillis when it was accepted, Unix milliseconds: header Date
   * @param extraHeaders headers set by routes; each replaces one of the same name; {@code Camel*}
   *     is skipped
   * @throws IllegalArgumentException naming the header, if a name or value is not allowed in a mail
   */
  public byte[] compose(
      long messagePk, long acceptedAtMillis, Message message, Map<String, String> extraHeaders) {
    HeaderBlock headers = new HeaderBlock();
    headers.mailboxes("From", List.of(message.from()));
    headers.mailboxes("To", message.to());
    headers.text("Subject", message.subject());
    if (!message.cc().isEmpty()) {
      headers.mailboxes("Cc", message.cc());
    }
    if (!message.replyTo().isEmpty()) {
      headers.mailboxes("Reply-To", message.replyTo());
    }
    headers.set("Date", date(acceptedAtMillis));
    headers.text("Message-ID", messageId(messagePk, message));
    headers.set("MIME-Version", "1.0");
    addFurther(headers, message.headers());
    addFurther(headers, extraHeaders);
    headers.exactText(CLIENT_ID, message.id());

    List<byte[]> pieces = new ArrayList<>(2 + 2 * message.attachments().size());
    BodyText text = BodyText.of(message.body());
    if (message.attachments().isEmpty()) {
      textHeaders(headers, message, text);
      pieces.add(open(headers, ""));
      pieces.add(text.bytes());
      pieces.add(ascii(endsLine(text.bytes()) ? "" : CRLF));
    } else {
      multipart(messagePk, message, headers, text, pieces);
    }
    return join(pieces);
  }

  /** The Message-ID of a mail with its angle brackets: the client's, else made of the key. */
  public static String messageId(long pk, Message message) {
    String given = message.messageId();
    if (given != null) {
      return given;
    }
    String sender = message.sender();
    String domain =
        sender.isEmpty()
            ? Address.parse(message.from()).domain()
            : sender.substring(sender.lastIndexOf('@') + 1);
    return "<" + Long.toString(pk, 36) + "." + fingerprint(message) + "@" + domain + ">";
  }

  private static void addFurther(HeaderBlock headers, Map<String, String> further) {
    for (Map.Entry<String, String> header : further.entrySet()) {
      String name = header.getKey();
      if (name.regionMatches(true, 0, "Camel", 0, 5)) {
        continue;
      }
      String problem = HeaderRules.nameProblem(name);
      if (problem == null && HeaderRules.isReserved(name)) {
        problem = "cannot be set";
      }
      if (problem == null) {
        problem = HeaderRules.valueProblem(header.getValue());
      }
      if (problem != null) {
        throw new IllegalArgumentException("header " + printable(name) + ": " + problem);
      }
      headers.further(name, header.getValue());
    }
  }

  private static void multipart(
      long pk, Message message, HeaderBlock headers, BodyText text, List<byte[]> pieces) {
    String boundary = boundary(pk, message, text);
    headers.set("Content-Type", "multipart/mixed;\r\n boundary=\"" + boundary + "\"");
    HeaderBlock part = new HeaderBlock();
    textHeaders(part, message, text);
    StringBuilder head = new StringBuilder(1024);
    headers.writeTo(head);
    pieces.add(open(part, head + CRLF + "--" + boundary + CRLF));
    pieces.add(text.bytes());
    for (Attachment attachment : message.attachments()) {
      HeaderBlock file = new HeaderBlock();
      AttachmentPart.headers(attachment, file);
      pieces.add(open(file, CRLF + "--" + boundary + CRLF));
      pieces.add(AttachmentPart.content(attachment));
    }
    pieces.add(ascii(CRLF + "--" + boundary + "--" + CRLF));
  }

  private static void textHeaders(HeaderBlock headers, Message message, BodyText text) {
    headers.set(
        "Content-Type", message.html() ? "text/html; charset=utf-8" : "text/plain; charset=utf-8");
    headers.set("Content-Transfer-Encoding", text.encoding());
  }

  /** {@code =_} stands in no base64 or quoted-printable text; plain text is looked through. */
  private static String boundary(long pk, Message message, BodyText text) {
    String base = "=_" + Long.toString(pk, 36) + "." + fingerprint(message);
    String boundary = base;
    for (int i = 1; text.contains("--" + boundary); i++) {
      boundary = base + "." + i;
    }
    return boundary;
  }

  /**
   * Keeps apart the messages of two installations that count alike. String hashes are the same on
   * every machine, hashes of enums are not.
   */
  private static String fingerprint(Message message) {
    long hash = 0xcbf29ce484222325L;
    for (String field :
        new String[] {
          message.tenantId(),
          message.accountId(),
          message.id(),
          message.from(),
          message.to().toString(),
          message.subject(),
          message.body()
        }) {
      hash = (hash ^ field.hashCode()) * 0x100000001b3L;
      hash ^= hash >>> 29;
    }
    return digits(hash);
  }

  /** Base 36, unsigned; {@code Long.toUnsignedString} makes a big integer of every second one. */
  private static String digits(long unsigned) {
    return Long.toString(Long.divideUnsigned(unsigned, 36), 36)
        + Character.forDigit((int) Long.remainderUnsigned(unsigned, 36), 36);
  }

  /** RFC 5322 section 3.3, in UTC. Own words: those of the platform depend on its locale data. */
  private static String date(long millis) {
    LocalDateTime time = LocalDateTime.ofInstant(Instant.ofEpochMilli(millis), ZoneOffset.UTC);
    StringBuilder out = new StringBuilder(31);
    out.append(DAYS[time.getDayOfWeek().getValue() - 1]).append(", ");
    out.append(time.getDayOfMonth()).append(' ');
    out.append(MONTHS[time.getMonthValue() - 1]).append(' ').append(time.getYear()).append(' ');
    two(out, time.getHour()).append(':');
    two(out, time.getMinute()).append(':');
    return two(out, time.getSecond()).append(" +0000").toString();
  }

  private static StringBuilder two(StringBuilder out, int number) {
    return out.append(number < 10 ? "0" : "").append(number);
  }

  /** The header lines and the empty line after them. */
  private static byte[] open(HeaderBlock headers, String before) {
    StringBuilder out = new StringBuilder(before.length() + 768).append(before);
    headers.writeTo(out);
    return out.append(CRLF).toString().getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] join(List<byte[]> pieces) {
    int length = 0;
    for (byte[] piece : pieces) {
      length = Math.addExact(length, piece.length);
    }
    byte[] mail = new byte[length];
    int at = 0;
    for (byte[] piece : pieces) {
      System.arraycopy(piece, 0, mail, at, piece.length);
      at += piece.length;
    }
    return mail;
  }

  private static boolean endsLine(byte[] text) {
    return text.length > 0 && text[text.length - 1] == '\n';
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static String printable(String name) {
    return name.replaceAll("[^ -~]", "?");
  }
}
