package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Attachment;
import io.caravan.mailproxy.message.HeaderRules;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** One file as a part of a multipart mail (RFC 2183, RFC 2231). */
final class AttachmentPart {
  private static final int LINE = 76;
  private static final int MAX_SECTION = 60;
  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private AttachmentPart() {}

  static void headers(Attachment attachment, HeaderBlock headers) {
    String name = attachment.filename();
    if (HeaderRules.hasControl(name) || HeaderRules.hasControl(attachment.mimeType())) {
      throw new IllegalArgumentException("header Content-Disposition contains a line break");
    }
    String plain = plainName(name);
    headers.set("Content-Type", attachment.mimeType() + ";\r\n name=" + quoted(plain));
    headers.set("Content-Transfer-Encoding", "base64");
    headers.set(
        "Content-Disposition",
        plain.equals(name) ? "attachment;\r\n filename=" + quoted(name) : encoded(name));
  }

  /**
   * The content in lines of 76 characters; the base64 text is taken over, not decoded.
   *
   * @throws IllegalArgumentException if it holds anything but base64 characters, which could end
   *     the part early
   */
  static byte[] content(Attachment attachment) {
    byte[] text = attachment.base64().getBytes(StandardCharsets.ISO_8859_1);
    for (byte b : text) {
      if (!isBase64(b)) {
        throw new IllegalArgumentException("attachment is not base64");
      }
    }
    int breaks = text.length == 0 ? 0 : (text.length - 1) / LINE;
    byte[] out = new byte[text.length + 2 * breaks];
    int at = 0;
    for (int i = 0; i < text.length; i += LINE) {
      if (i > 0) {
        out[at++] = '\r';
        out[at++] = '\n';
      }
      int length = Math.min(LINE, text.length - i);
      System.arraycopy(text, i, out, at, length);
      at += length;
    }
    return out;
  }

  private static boolean isBase64(byte b) {
    return (b >= 'a' && b <= 'z')
        || (b >= 'A' && b <= 'Z')
        || (b >= '0' && b <= '9')
        || b == '+'
        || b == '/'
        || b == '=';
  }

  /** RFC 2231 sections 3 and 4; a character's bytes stay in one section. */
  private static String encoded(String name) {
    List<String> sections = new ArrayList<>();
    StringBuilder section = new StringBuilder("UTF-8''");
    for (int i = 0; i < name.length(); ) {
      int next = i + Character.charCount(name.codePointAt(i));
      StringBuilder character = new StringBuilder(12);
      for (byte b : name.substring(i, next).getBytes(StandardCharsets.UTF_8)) {
        if (isAttributeChar(b)) {
          character.append((char) b);
        } else {
          character.append('%').append(HEX.toHexDigits(b));
        }
      }
      if (section.length() + character.length() > MAX_SECTION) {
        sections.add(section.toString());
        section.setLength(0);
      }
      section.append(character);
      i = next;
    }
    sections.add(section.toString());
    StringBuilder out = new StringBuilder("attachment");
    for (int i = 0; i < sections.size(); i++) {
      String number = sections.size() == 1 ? "*=" : "*" + i + "*=";
      out.append(";\r\n filename").append(number).append(sections.get(i));
    }
    return out.toString();
  }

  private static boolean isAttributeChar(byte b) {
    return (isBase64(b) && b != '/' && b != '=') || b == '-' || b == '.' || b == '_';
  }

  /** For readers that do not know RFC 2231: without accents, other letters as underscores. */
  private static String plainName(String name) {
    StringBuilder out = new StringBuilder(name.length());
    boolean ascii = name.chars().allMatch(c -> c < 0x80);
    String split = ascii ? name : Normalizer.normalize(name, Normalizer.Form.NFD);
    split
        .codePoints()
        .filter(c -> Character.getType(c) != Character.NON_SPACING_MARK)
        .forEach(c -> out.append(c < 0x80 ? (char) c : '_'));
    return out.toString();
  }

  private static String quoted(String value) {
    return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
