package io.caravan.mailproxy.cli;

import jakarta.mail.Message.RecipientType;
import jakarta.mail.MessagingException;
import jakarta.mail.Multipart;
import jakarta.mail.Part;
import jakarta.mail.Session;
import jakarta.mail.internet.ContentType;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import jakarta.mail.internet.MimeUtility;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** A mail as it stands in a file, as a message of {@code POST /commands/add-messages}. */
final class Eml {
  private static final int MAX_DEPTH = 20;

  private final List<Map<String, Object>> attachments = new ArrayList<>();
  private @Nullable String plain;
  private @Nullable String html;

  private Eml() {}

  /**
   * Its addresses, subject, text (HTML where there is both), and the other parts as attachments.
   *
   * @throws Failure it is no mail
   */
  static Map<String, Object> fields(byte[] bytes) {
    Properties lenient = new Properties();
    lenient.setProperty("mail.mime.address.strict", "false");
    Eml eml = new Eml();
    Map<String, Object> fields = new LinkedHashMap<>();
    try {
      MimeMessage mail =
          new MimeMessage(Session.getInstance(lenient), new ByteArrayInputStream(bytes));
      put(fields, "from", mail, "From");
      put(fields, "to", mail, RecipientType.TO.toString());
      put(fields, "cc", mail, RecipientType.CC.toString());
      put(fields, "bcc", mail, RecipientType.BCC.toString());
      put(fields, "reply_to", mail, "Reply-To");
      fields.put("subject", mail.getSubject() == null ? "" : mail.getSubject());
      eml.collect(mail, 0);
    } catch (MessagingException | IOException e) {
      throw new Failure(Failure.FAILED, "this is no mail that can be read: " + e.getMessage());
    }
    if (!fields.containsKey("from")) {
      throw new Failure(Failure.FAILED, "this is no mail: it has no From");
    }
    String body = eml.html == null ? eml.plain : eml.html;
    fields.put("body", body == null ? "" : body);
    fields.put("content_type", eml.html == null ? "plain" : "html");
    if (!eml.attachments.isEmpty()) {
      fields.put("attachments", eml.attachments);
    }
    return fields;
  }

  /** As the proxy reads them: encoded words (RFC 2047) become letters, names are quoted. */
  private static void put(Map<String, Object> fields, String field, MimeMessage mail, String header)
      throws MessagingException {
    String value = mail.getHeader(header, ",");
    if (value == null || value.isBlank()) {
      return;
    }
    List<String> addresses = new ArrayList<>();
    for (InternetAddress address : InternetAddress.parseHeader(MimeUtility.unfold(value), false)) {
      addresses.add(address.toUnicodeString());
    }
    fields.put(field, field.equals("from") ? String.join(", ", addresses) : addresses);
  }

  private void collect(Part part, int depth) throws MessagingException, IOException {
    if (depth > MAX_DEPTH) {
      throw new MessagingException("its parts are nested too deep");
    }
    boolean apart =
        Part.ATTACHMENT.equalsIgnoreCase(part.getDisposition()) || part.getFileName() != null;
    if (part.isMimeType("multipart/*") && part.getContent() instanceof Multipart parts) {
      for (int i = 0; i < parts.getCount(); i++) {
        collect(parts.getBodyPart(i), depth + 1);
      }
    } else if (!apart && html == null && part.isMimeType("text/html")) {
      html = text(part);
    } else if (!apart && plain == null && part.isMimeType("text/plain")) {
      plain = text(part);
    } else {
      attach(part);
    }
  }

  private static String text(Part part) throws MessagingException, IOException {
    return part.getContent() instanceof String text ? text : "";
  }

  private void attach(Part part) throws MessagingException, IOException {
    boolean mail = part.isMimeType("message/*");
    String type =
        mail ? "application/octet-stream" : new ContentType(part.getContentType()).getBaseType();
    String name = part.getFileName();
    if (name == null) {
      name = "part-" + (attachments.size() + 1) + (mail ? ".eml" : "");
    }
    Map<String, Object> attachment = new LinkedHashMap<>();
    attachment.put("filename", MimeUtility.decodeText(name));
    attachment.put("fetch_mode", "base64");
    try (InputStream in = part.getInputStream()) {
      attachment.put("storage_path", Base64.getEncoder().encodeToString(in.readAllBytes()));
    }
    attachment.put("mime_type", type);
    attachments.add(attachment);
  }
}
