package io.caravan.mailproxy.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.intake.MessageReader;
import io.caravan.mailproxy.message.Attachment;
import io.caravan.mailproxy.message.HeaderRules;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.Priority;
import io.caravan.mailproxy.message.Recipient;
import jakarta.mail.BodyPart;
import jakarta.mail.Message.RecipientType;
import jakarta.mail.Session;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import jakarta.mail.internet.MimeMultipart;
import jakarta.mail.internet.MimeUtility;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.TimeZone;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ComposerTest {
  private static final long PK = 123_456;
  private static final long ACCEPTED = 1_795_521_600_999L;
  private static final String PNG =
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  private static final String PDF =
      Base64.getEncoder()
          .encodeToString(
              "%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
                  .getBytes(StandardCharsets.US_ASCII));
  private static final List<String> STANDARD =
      List.of(
          "From",
          "To",
          "Subject",
          "Date",
          "Message-ID",
          "MIME-Version",
          "X-Genro-Mail-ID",
          "Content-Type",
          "Content-Transfer-Encoding");

  private final Composer composer = new Composer();

  private static Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", "m1");
    fields.put("tenant_id", "acme");
    fields.put("account_id", "main");
    fields.put("from", "shop@example.test");
    fields.put("to", "v@y.test");
    fields.put("subject", "Hi");
    fields.put("body", "Hello\n");
    fields.put("priority", 2);
    return fields;
  }

  private static Message message(Object... changes) {
    Map<String, Object> fields = fields();
    for (int i = 0; i < changes.length; i += 2) {
      fields.put((String) changes[i], changes[i + 1]);
    }
    return MessageReader.read(Json.text(fields));
  }

  /** A message that no intake would let through. */
  private static Message unchecked(String field, String value) {
    List<String> v = List.of("v@y.test");
    return new Message(
        "acme",
        field.equals("id") ? value : "m1",
        "main",
        Priority.MEDIUM,
        field.equals("from") ? value : "shop@example.test",
        field.equals("to") ? List.of(value) : v,
        field.equals("cc") ? List.of(value) : List.of(),
        List.of(),
        field.equals("reply_to") ? List.of(value) : List.of(),
        field.equals("sender") ? value : "shop@example.test",
        field.equals("subject") ? value : "Hi",
        "Hello",
        false,
        field.equals("header value")
            ? Map.of("X-A", value)
            : field.equals("header name") ? Map.of(value, "1") : Map.of(),
        field.equals("message_id") ? value : null,
        field.equals("filename")
            ? List.of(new Attachment(value, "text/plain", "QQ=="))
            : field.equals("mime_type")
                ? List.of(new Attachment("a.txt", value, "QQ=="))
                : field.equals("content")
                    ? List.of(new Attachment("a.txt", "text/plain", value))
                    : List.of(),
        null,
        null,
        null,
        null,
        List.of(new Recipient(0, "v@y.test")));
  }

  private static String attachment(String base64) {
    return "base64:" + base64;
  }

  private byte[] compose(Message message) {
    return composer.compose(PK, ACCEPTED, message, Map.of());
  }

  private static String text(byte[] mail) {
    return new String(mail, StandardCharsets.UTF_8);
  }

  private static MimeMessage parse(byte[] mail) throws Exception {
    return new MimeMessage(Session.getInstance(new Properties()), new ByteArrayInputStream(mail));
  }

  private static List<String> headerNames(byte[] mail) throws Exception {
    return Collections.list(parse(mail).getAllHeaders()).stream()
        .map(jakarta.mail.Header::getName)
        .toList();
  }

  private static void assertOnTheWire(byte[] mail, boolean sevenBits) {
    String raw = new String(mail, StandardCharsets.ISO_8859_1);
    assertThat(raw).endsWith("\r\n");
    assertThat(raw.replace("\r\n", "")).doesNotContain("\r", "\n");
    for (String line : raw.split("\r\n", -1)) {
      assertThat(line.length()).isLessThanOrEqualTo(998);
    }
    for (String line : raw.substring(0, raw.indexOf("\r\n\r\n")).split("\r\n", -1)) {
      assertThat(line).matches("[!-9;-~]+: .*\\S.*|[!-9;-~]+: |[ \t].*\\S.*");
    }
    if (sevenBits) {
      assertThat(raw.chars().allMatch(c -> c < 0x80 && c != 0)).isTrue();
    }
  }

  @Test
  void aPlainMailIsWrittenLikeThis() {
    assertThat(text(compose(message())))
        .isEqualTo(
            String.join(
                "\r\n",
                "From: shop@example.test",
                "To: v@y.test",
                "Subject: Hi",
                "Date: Tue, 24 Nov 2026 12:00:00 +0000",
                "Message-ID: " + Composer.messageId(PK, message()),
                "MIME-Version: 1.0",
                "X-Genro-Mail-ID: m1",
                "Content-Type: text/plain; charset=utf-8",
                "Content-Transfer-Encoding: 7bit",
                "",
                "Hello",
                ""));
  }

  /** What was written once is written for ever: retries send the same bytes. */
  @ParameterizedTest
  @ValueSource(strings = {"plain", "unicode", "files", "utf8-local"})
  void composesTheGoldenMails(String name) throws Exception {
    byte[] mail = compose(golden(name));
    try (InputStream file = getClass().getResourceAsStream("/mail/" + name + ".eml")) {
      assertThat(file).as("golden file").isNotNull();
      assertThat(text(mail)).isEqualTo(text(file.readAllBytes()));
    }
    assertOnTheWire(mail, !name.equals("utf8-local"));
  }

  static Message golden(String name) {
    return switch (name) {
      case "plain" ->
          message(
              "to",
              List.of("\"Doe, Jane\" <jane@y.test>", "bob@y.test"),
              "cc",
              "c@y.test",
              "bcc",
              "secret@y.test",
              "reply_to",
              "r@y.test",
              "return_path",
              "bounce@example.test",
              "message_id",
              "<left@right>",
              "headers",
              Map.of("List-Unsubscribe", "<https://example.test/u/" + "t".repeat(100) + ">"),
              "body",
              "one\r\ntwo\rthree\nfour\n.\n..five");
      case "unicode" ->
          message(
              "id",
              "Auftrag-ü-🚀",
              "from",
              "Jörg Müller <j@bücher.test>",
              "to",
              List.of("Zoë 👩‍🚀 <z@y.test>", "株式会社 山田太郎商店 営業部 第一課 <k@y.test>"),
              "subject",
              "Größe, Übermaß und 🚀 sind schön, und dieser Betreff ist länger als eine Zeile 🎉",
              "headers",
              Map.of("X-Note", "größer"),
              "body",
              "Schöne Grüße\n\nJörg =) \n" + "ä".repeat(20) + "x".repeat(1200) + "\n");
      case "files" ->
          message(
              "subject",
              "Files",
              "content_type",
              "html",
              "body",
              "<p>日本語日本語日本語日本語</p>",
              "attachments",
              List.of(
                  Map.of("filename", "pixel.png", "storage_path", attachment(PNG)),
                  Map.of("filename", "a \"q\".pdf", "storage_path", attachment(PDF)),
                  Map.of(
                      "filename",
                      "Übersicht für März 2026 – 株式会社 🚀.pdf",
                      "storage_path",
                      attachment(PDF))));
      default -> message("from", "Völ <völ@bücher.test>", "to", "v瘍瘊DATA@y.test", "body", "Hi");
    };
  }

  @Test
  void unicodeComesBack() throws Exception {
    Message message = golden("unicode");
    MimeMessage mail = parse(compose(message));
    assertThat(mail.getSubject()).isEqualTo(message.subject());
    assertThat(((InternetAddress) mail.getFrom()[0]).getPersonal()).isEqualTo("Jörg Müller");
    assertThat(((InternetAddress) mail.getFrom()[0]).getAddress())
        .isEqualTo("j@xn--bcher-kva.test");
    assertThat(mail.getRecipients(RecipientType.TO))
        .extracting(a -> ((InternetAddress) a).getPersonal())
        .containsExactly("Zoë 👩‍🚀", "株式会社 山田太郎商店 営業部 第一課");
    assertThat(MimeUtility.decodeText(mail.getHeader("X-Genro-Mail-ID")[0]))
        .isEqualTo("Auftrag-ü-🚀");
    assertThat(MimeUtility.decodeText(mail.getHeader("X-Note")[0])).isEqualTo("größer");
    assertThat(((String) mail.getContent()).replace("\r\n", "\n")).isEqualTo(message.body());
    assertThat(mail.getEncoding()).isEqualTo("quoted-printable");
  }

  @Test
  void filesComeBack() throws Exception {
    Message message = golden("files");
    MimeMultipart parts = (MimeMultipart) parse(compose(message)).getContent();
    assertThat(parts.getCount()).isEqualTo(4);
    assertThat(parts.getBodyPart(0).getContentType()).isEqualTo("text/html; charset=utf-8");
    assertThat(parts.getBodyPart(0).getContent()).isEqualTo(message.body());
    for (int i = 0; i < 3; i++) {
      BodyPart part = parts.getBodyPart(i + 1);
      Attachment attachment = message.attachments().get(i);
      assertThat(part.getFileName()).isEqualTo(attachment.filename());
      assertThat(part.getDisposition()).isEqualTo("attachment");
      assertThat(part.isMimeType(attachment.mimeType())).isTrue();
      assertThat(part.getInputStream().readAllBytes())
          .isEqualTo(Base64.getDecoder().decode(attachment.base64()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "ü", "🚀", "a b", "=", "%", "'", "\""})
  void filenamesOfFullLengthComeBack(String character) throws Exception {
    String name = character.repeat(252 / character.length()) + ".ü.";
    for (String filename : List.of(name, name.replace("ü", "u"))) {
      byte[] mail =
          compose(
              message(
                  "attachments",
                  List.of(Map.of("filename", filename, "storage_path", "base64:QQ=="))));
      assertOnTheWire(mail, true);
      MimeMultipart parts = (MimeMultipart) parse(mail).getContent();
      assertThat(parts.getBodyPart(1).getFileName()).isEqualTo(filename);
    }
  }

  @Test
  void theEnvelopeIsNotInTheHeaders() {
    assertThat(text(compose(golden("plain")))).doesNotContain("secret@", "bounce@", "Bcc");
  }

  @Test
  void aCustomHeaderReplacesAnother() throws Exception {
    Message message =
        message("headers", Map.of("subject", "Übergröße", "X-A", "1", "X-Genro-Mail-ID", "forged"));
    byte[] mail =
        composer.compose(
            PK,
            ACCEPTED,
            message,
            Map.of("x-a", "2", "CamelFileName", "x\r\n", "Reply-To", "Jörg <j@bücher.test>"));
    MimeMessage parsed = parse(mail);
    assertThat(parsed.getHeader("Subject")).hasSize(1);
    assertThat(parsed.getSubject()).isEqualTo("Übergröße");
    assertThat(parsed.getHeader("X-A")).containsExactly("2");
    assertThat(parsed.getHeader("X-Genro-Mail-ID")).containsExactly("m1");
    assertThat(parsed.getHeader("CamelFileName")).isNull();
    assertThat(parsed.getReplyTo()).containsExactly(new InternetAddress("j@xn--bcher-kva.test"));
  }

  @ParameterizedTest
  @CsvSource({"Bcc, x", "Content-Type, text/html", "To, a@x.test", "X A, 1", "'', 1"})
  void routesMaySetNoReservedHeader(String name, String value) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> composer.compose(PK, ACCEPTED, message(), Map.of(name, value)))
        .withMessageContaining(name);
  }

  @Test
  void theSameInputGivesTheSameBytes() {
    Message message = golden("files");
    byte[] first = compose(message);
    Locale locale = Locale.getDefault();
    TimeZone zone = TimeZone.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      TimeZone.setDefault(TimeZone.getTimeZone("Asia/Kolkata"));
      assertThat(new Composer().compose(PK, ACCEPTED, golden("files"), Map.of())).isEqualTo(first);
    } finally {
      Locale.setDefault(locale);
      TimeZone.setDefault(zone);
    }
    assertThat(text(composer.compose(PK + 1, ACCEPTED, message, Map.of())))
        .isNotEqualTo(text(first));
  }

  @Test
  void theMessageIdIsTheClientsOrMadeOfTheKey() {
    assertThat(Composer.messageId(PK, golden("plain"))).isEqualTo("<left@right>");
    assertThat(Composer.messageId(35, message("return_path", "b@bounce.test")))
        .matches("<z\\.[0-9a-z]+@bounce\\.test>");
    assertThat(Composer.messageId(35, message("return_path", "<>"))).endsWith("@example.test>");
    assertThat(Composer.messageId(PK, message()))
        .isNotEqualTo(Composer.messageId(PK, message("id", "m2")))
        .isNotEqualTo(Composer.messageId(PK + 1, message()));
  }

  /** B28: what ends a mail elsewhere is body here. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "hi\n.\nMAIL FROM:<e@x>",
        "\r.\r",
        "\r\n.\r\n",
        "\n.\r\n",
        "\r\n.\r",
        "",
        "\n",
        "tail ",
        "nul \0 and \u0001",
        "\u2028 and \u0085",
        "= and ==\n"
      })
  void anyBodyComesBack(String body) throws Exception {
    byte[] mail = compose(message("body", body));
    assertOnTheWire(mail, true);
    String expected = body.replace("\r\n", "\n").replace('\r', '\n');
    String read = ((String) parse(mail).getContent()).replace("\r\n", "\n");
    assertThat(
            read.endsWith(expected.endsWith("\n") ? expected : expected + "\n")
                || read.equals(expected))
        .as(read)
        .isTrue();
    assertThat(headerNames(mail)).containsExactlyElementsOf(STANDARD);
  }

  @ParameterizedTest
  @CsvSource({"998, 7bit", "999, quoted-printable", "100000, quoted-printable"})
  void longLinesAreEncoded(int length, String encoding) throws Exception {
    String body = "x".repeat(length) + "\nend\n";
    byte[] mail = compose(message("body", body));
    assertOnTheWire(mail, true);
    assertThat(parse(mail).getEncoding()).isEqualTo(encoding);
    assertThat(((String) parse(mail).getContent()).replace("\r\n", "\n")).isEqualTo(body);
  }

  @Test
  void quotedPrintableIsWhatTheLibraryReads() throws Exception {
    Random random = new Random(7);
    String alphabet = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa    \t==..\n\nüé€🚀\0";
    int[] points = alphabet.codePoints().toArray();
    for (int i = 0; i < 2000; i++) {
      StringBuilder body = new StringBuilder("ü\n");
      for (int n = random.nextInt(300); n > 0; n--) {
        body.appendCodePoint(points[random.nextInt(points.length)]);
      }
      BodyText text = BodyText.of(body.toString());
      if (!text.encoding().equals("quoted-printable")) {
        continue;
      }
      for (String line : new String(text.bytes(), StandardCharsets.US_ASCII).split("\r\n", -1)) {
        assertThat(line).hasSizeLessThanOrEqualTo(76).doesNotMatch(".*[ \t]");
      }
      byte[] read =
          MimeUtility.decode(new ByteArrayInputStream(text.bytes()), text.encoding())
              .readAllBytes();
      assertThat(new String(read, StandardCharsets.UTF_8).replace("\r\n", "\n"))
          .isEqualTo(body.toString());
    }
  }

  @Test
  void aBoundaryInTheBodyIsNotTheBoundary() throws Exception {
    String guess = "--=_" + Long.toString(PK, 36);
    String body = "x\n" + guess + "\nContent-Type: text/html\n\nevil\n" + guess + "--\n";
    Map<String, Object> file = Map.of("filename", "a.txt", "storage_path", "base64:QQ==");
    MimeMultipart parts =
        (MimeMultipart)
            parse(compose(message("body", body, "attachments", List.of(file)))).getContent();
    assertThat(parts.getCount()).isEqualTo(2);
    assertThat(((String) parts.getBodyPart(0).getContent()).replace("\r\n", "\n")).isEqualTo(body);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 10, 60, 70, 76, 200, 950, 5000, 8000})
  void headersOfAnyLengthComeBack(int length) throws Exception {
    String run = "x".repeat(length);
    String words = "word  two ".repeat(1 + length / 10).trim();
    String wide = "ü🚀".repeat(1 + length / 4);
    for (String value : List.of(run, words, wide, run + " ü " + words)) {
      if (HeaderRules.utf8Length(value) > HeaderRules.MAX_VALUE_BYTES) {
        continue;
      }
      Message message = message("subject", value, "headers", Map.of("X-" + "N".repeat(74), value));
      byte[] mail = compose(message);
      assertOnTheWire(mail, true);
      assertThat(parse(mail).getSubject()).isEqualTo(value);
      assertThat(
              MimeUtility.decodeText(
                  MimeUtility.unfold(parse(mail).getHeader("X-" + "N".repeat(74))[0])))
          .isEqualTo(value);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Ann",
        "Ann B. C.",
        "Doe, \\\"J\\\" \\\\ (x) @ <y>",
        "é",
        "a  b",
        "=?x",
        "very long name of a very long company with a very long address line and more of it",
      })
  void displayNamesComeBack(String name) throws Exception {
    String shown = name.replace("\\\"", "\"").replace("\\\\", "\\");
    String long400 = "n".repeat(400);
    Message message =
        message(
            "to",
            List.of("\"" + name + "\" <a@y.test>", "\"" + long400 + "\" <b@y.test>", "c@y.test"));
    byte[] mail = compose(message);
    assertOnTheWire(mail, true);
    assertThat(parse(mail).getRecipients(RecipientType.TO))
        .extracting(a -> ((InternetAddress) a).getPersonal())
        .containsExactly(shown, long400, null);
  }

  @Test
  void manyRecipientsAreFolded() throws Exception {
    String[] all = new String[1000];
    Arrays.setAll(all, i -> "Person " + i + " <p" + i + "@y.test>");
    byte[] mail = compose(message("to", List.of(all)));
    assertOnTheWire(mail, true);
    for (String line : text(mail).split("\r\n", -1)) {
      assertThat(line.length()).isLessThanOrEqualTo(78);
    }
    assertThat(parse(mail).getRecipients(RecipientType.TO)).hasSize(1000);
  }

  /** Defence in depth: what intake should have refused makes no header line here either. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "from",
        "to",
        "cc",
        "reply_to",
        "subject",
        "id",
        "message_id",
        "sender",
        "header value",
        "header name",
        "filename",
        "mime_type",
        "content"
      })
  void noFieldBringsALineOfItsOwn(String field) throws Exception {
    for (String attack :
        List.of(
            "v@y.test\r\nX-Injected: yes",
            "v@y.test\nX-Injected: yes",
            "v@y.test\rX-Injected: yes",
            "v@y.test\r\n\r\nbody",
            "v@y.test\r\n X-Injected: yes",
            "QQ==\r\n--=_x\r\nX-Injected: yes",
            "v@y.test\u2028X-Injected: yes",
            "v@y.test\u0085X-Injected: yes",
            "\"v@y.test\r\nX-Injected: yes\" <v@y.test>",
            "v瘍瘊X-Injected: yes@y.test")) {
      byte[] mail;
      try {
        mail = compose(unchecked(field, attack));
      } catch (IllegalArgumentException e) {
        assertThat(e.getMessage()).doesNotContain("\r", "\n");
        continue;
      }
      assertThat(parse(mail).getHeader("X-Injected")).as(field).isNull();
      assertThat(text(mail)).doesNotContain("\nX-Injected", "\rX-Injected");
      assertThat(mail).asString(StandardCharsets.UTF_8).endsWith("\r\n");
    }
  }
}
