package io.caravan.mailproxy.intake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Attachment;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.Priority;
import io.caravan.mailproxy.message.Quota;
import io.caravan.mailproxy.message.Recipient;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class BatchReaderTest {
  private static final Directory DIRECTORY =
      new Directory() {
        @Override
        public Optional<Account> account(String tenantId, String accountId) {
          return tenantsWithAccount(accountId).contains(tenantId)
              ? Optional.of(accountOf(tenantId, accountId))
              : Optional.empty();
        }

        @Override
        public Optional<Account> account(long pk) {
          return Optional.empty();
        }

        @Override
        public List<String> tenantsWithAccount(String accountId) {
          return switch (accountId) {
            case "main" -> List.of("acme");
            case "shared" -> List.of("acme", "beta");
            default -> List.of();
          };
        }
      };

  private static Account accountOf(String tenantId, String accountId) {
    return new Account(
        1,
        1,
        tenantId,
        accountId,
        Account.Type.RELAY,
        "relay.test",
        25,
        null,
        null,
        null,
        300,
        10,
        0,
        null,
        null,
        null,
        null,
        false,
        Quota.NONE);
  }

  private final BatchReader reader =
      new BatchReader(DIRECTORY, IntakeLimits.DEFAULT, Priority.MEDIUM);

  private static ObjectNode item() {
    return Json.MAPPER
        .createObjectNode()
        .put("id", "m1")
        .put("account_id", "main")
        .put("from", "Shop <shop@example.test>")
        .put("to", "v@y.test")
        .put("subject", "Hi")
        .put("body", "Hello");
  }

  private static ObjectNode body(JsonNode... items) {
    ObjectNode body = Json.MAPPER.createObjectNode();
    ArrayNode messages = body.putArray("messages");
    for (JsonNode item : items) {
      messages.add(item);
    }
    return body;
  }

  private static JsonNode json(String text) {
    try {
      return Json.MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  private static JsonNode with(String field, String value) {
    return item().set(field, json(value));
  }

  private static JsonNode withText(String field, String value) {
    return item().put(field, value);
  }

  private Batch read(JsonNode... items) {
    return reader.read(body(items), null);
  }

  private Message accepted(JsonNode item) {
    Batch batch = read(item);
    assertThat(batch.rejected()).isEmpty();
    Submission submission = batch.submissions().get(0);
    assertThat(MessageReader.read(submission.payload())).isEqualTo(submission.message());
    return submission.message();
  }

  private Rejection rejected(JsonNode item) {
    Batch batch = read(withText("id", "before"), item, withText("id", "after"));
    assertThat(batch.submitted()).isEqualTo(3);
    assertThat(batch.submissions()).extracting(Submission::index).containsExactly(0, 2);
    assertThat(batch.rejected()).hasSize(1);
    Rejection rejection = batch.rejected().get(0);
    assertThat(rejection.index()).isEqualTo(1);
    assertThat(rejection.pointer()).startsWith("/messages/1");
    assertThat(rejection.reason()).isNotBlank().doesNotContain("\n");
    return rejection;
  }

  private static Problem problem(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    return catchThrowableOfType(Problem.class, call);
  }

  @Test
  void takesThePlainMessage() {
    Submission submission = read(item()).submissions().get(0);
    Message message = submission.message();
    assertThat(message.tenantId()).isEqualTo("acme");
    assertThat(message.sender()).isEqualTo("shop@example.test");
    assertThat(message.recipients()).containsExactly(new Recipient(0, "v@y.test"));
    assertThat(message.priority()).isEqualTo(Priority.MEDIUM);
    assertThat(message.html()).isFalse();
    assertThat(submission.account().id()).isEqualTo("main");
    assertThat(submission.items()).isEqualTo(1);
    assertThat(json(submission.payload()))
        .isEqualTo(
            json(
                """
                {"id":"m1","tenant_id":"acme","account_id":"main","from":"Shop <shop@example.test>",
                 "to":"v@y.test","subject":"Hi","body":"Hello","content_type":"plain","priority":2}
                """));
  }

  @Test
  void takesEveryField() {
    Message message =
        accepted(
            json(
                """
                {"id":"../x 🚀","tenant_id":"acme","account_id":"main","from_addr":"Jörg <j@bücher.test>",
                 "from_name":"ignored","tenat_id":7,
                 "to":["a@x.test",""," b@x.test "],"cc":"a@X.TEST, \\"Doe, J\\" <c@x.test>","bcc":["d@x.test"],
                 "reply_to":"r@x.test","return_path":"bounce@x.test","subject":"Grüße 🚀","body":"<p>ü</p>",
                 "content_type":"html","headers":{"X-A":"1","X-B":2,"X-C":true,"X-D":null,"Subject":"other"},
                 "message_id":"<l@r>","priority":"high","deferred_ts":-1,"expires_ts":99999999999999999999,
                 "batch_code":"spring",
                 "attachments":[{"filename":"C:\\\\tmp\\\\a_{MD5:0af}.pdf","storage_path":"base64:QUJD"},
                  {"filename":"ü.x","storage_path":"QQ==","fetch_mode":"base64","mime_type":"image/png",
                   "content_md5":"0123456789abcdef0123456789ABCDEF","auth":{"method":"bearer","token":"t"}}]}
                """));
    assertThat(message.id()).isEqualTo("../x 🚀");
    assertThat(message.from()).isEqualTo("Jörg <j@bücher.test>");
    assertThat(message.sender()).isEqualTo("bounce@x.test");
    assertThat(message.to()).containsExactly("a@x.test", "b@x.test");
    assertThat(message.cc()).containsExactly("a@X.TEST", "\"Doe, J\" <c@x.test>");
    assertThat(message.recipients())
        .extracting(Recipient::address)
        .containsExactly("a@x.test", "b@x.test", "c@x.test", "d@x.test");
    assertThat(message.recipients()).extracting(Recipient::position).containsExactly(0, 1, 2, 3);
    assertThat(message.html()).isTrue();
    assertThat(message.headers())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("X-A", "1", "X-B", "2", "X-C", "true", "Subject", "other"));
    assertThat(message.priority()).isEqualTo(Priority.HIGH);
    assertThat(message.deferredTs()).isEqualTo(-1);
    assertThat(message.expiresTs()).isEqualTo(9_007_199_254_740_991L);
    assertThat(message.attachments())
        .containsExactly(
            new Attachment("a.pdf", "application/pdf", "QUJD"),
            new Attachment("ü.x", "image/png", "QQ=="));
  }

  @Test
  void keepsNoSecretAndNoNullInThePayload() {
    ObjectNode item = item();
    item.putNull("cc").putNull("priority").put("unknown", 1);
    item.putArray("attachments")
        .addObject()
        .put("filename", "a.txt")
        .put("storage_path", "base64:QUJD")
        .putNull("mime_type")
        .putObject("auth")
        .put("method", "bearer")
        .put("token", "secret-canary");
    String payload = read(item).submissions().get(0).payload();
    assertThat(payload).doesNotContain("null", "canary", "unknown", "auth");
  }

  @ParameterizedTest
  @CsvSource({
    "id, missing id",
    "account_id, missing account_id",
    "from, missing from",
    "to, missing to",
    "subject, missing subject"
  })
  void namesWhatIsMissing(String field, String reason) {
    ObjectNode absent = item().put("tenant_id", "acme");
    absent.remove(field);
    for (JsonNode item :
        List.of(
            absent,
            item().put("tenant_id", "acme").putNull(field),
            item().put("tenant_id", "acme").put(field, " "))) {
      Rejection rejection = rejected(item);
      assertThat(rejection.reason()).isEqualTo(reason);
      assertThat(rejection.code()).isEqualTo(reason.replace(' ', '_'));
      assertThat(rejection.pointer()).isEqualTo("/messages/1/" + field);
      assertThat(rejection.id()).isEqualTo(field.equals("id") ? null : "m1");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "[\"\", \"  \"]", "\" , ,\""})
  void blankRecipientsAreMissing(String to) {
    assertThat(rejected(with("to", to)).reason()).isEqualTo("missing to");
  }

  @Test
  void checksInTheDocumentedOrder() {
    ObjectNode item = Json.MAPPER.createObjectNode();
    assertThat(rejected(item).reason()).isEqualTo("missing id");
    item.put("id", "m1");
    assertThat(rejected(item).reason()).isEqualTo("missing tenant_id");
    item.put("tenant_id", "acme");
    assertThat(rejected(item).reason()).isEqualTo("missing account_id");
    item.put("account_id", "none");
    assertThat(rejected(item).reason()).isEqualTo("missing from");
    item.put("from", "not an address");
    assertThat(rejected(item).reason()).isEqualTo("missing to");
    item.put("to", "v@y.test");
    assertThat(rejected(item).reason()).isEqualTo("missing subject");
    item.put("subject", "Hi");
    assertThat(rejected(item).reason()).isEqualTo("account not found for tenant");
    assertThat(rejected(item).code()).isEqualTo("account_not_found");
    item.put("account_id", "main");
    assertThat(rejected(item).code()).isEqualTo("invalid_address");
  }

  @Test
  void findsTheTenant() {
    ObjectNode shared = item().put("account_id", "shared");
    assertThat(rejected(shared).reason()).isEqualTo("missing tenant_id");
    assertThat(reader.read(body(shared), "beta").submissions().get(0).message().tenantId())
        .isEqualTo("beta");
    assertThat(accepted(shared.deepCopy().put("tenant_id", "beta")).tenantId()).isEqualTo("beta");
    assertThat(accepted(item()).tenantId()).isEqualTo("acme");
    assertThat(rejected(item().put("account_id", "none")).reason()).isEqualTo("missing tenant_id");
    assertThat(rejected(item().put("tenant_id", "gone")).reason())
        .isEqualTo("account not found for tenant");
  }

  @ParameterizedTest
  @ValueSource(strings = {"acme", "no such tenant"})
  void refusesAnotherTenant(String named) {
    Problem problem =
        problem(() -> reader.read(body(item(), item().put("tenant_id", named)), "beta"));
    assertThat(problem.getStatus()).isEqualTo(401);
    assertThat(problem.getDetail()).isEqualTo("Token not authorized for this tenant");
  }

  /** Field, JSON value, code, pointer below the item. */
  static Stream<Arguments> badValues() {
    String big = "x".repeat(9000);
    return Stream.of(
        // B1, B2
        Arguments.of("subject", "\"Hi\\r\\nBcc: victim@x\"", "invalid_subject", "/subject"),
        Arguments.of("subject", "\"Hi\\nX: 1\"", "invalid_subject", "/subject"),
        Arguments.of("subject", "\"Hi\\rX\"", "invalid_subject", "/subject"),
        Arguments.of("subject", "\"Hi\\u0085X\"", "invalid_subject", "/subject"),
        Arguments.of("subject", "\"Hi\\u2028X\"", "invalid_subject", "/subject"),
        Arguments.of("subject", "\"Hi\\u2029X\"", "invalid_subject", "/subject"),
        Arguments.of("subject", "\"" + big + "\"", "invalid_subject", "/subject"),
        // B3 to B6
        Arguments.of("headers", "{\"X-A\":\"1\\r\\nX-Evil: 1\"}", "invalid_header", "/headers/X-A"),
        Arguments.of("headers", "{\"X/~\":\"1\\u2028\"}", "invalid_header", "/headers/X~1~0"),
        Arguments.of("headers", "{\"X-A: 1\\r\\nX-Evil\":\"1\"}", "invalid_header", "/headers"),
        Arguments.of("headers", "{\"X A\":\"1\"}", "invalid_header", "/headers"),
        Arguments.of("headers", "{\"\":\"1\"}", "invalid_header", "/headers"),
        Arguments.of("headers", "{\"Ж\":\"1\"}", "invalid_header", "/headers"),
        Arguments.of("headers", "{\"" + "X".repeat(77) + "\":\"1\"}", "invalid_header", "/headers"),
        Arguments.of("headers", "{\"X-A\":\"" + big + "\"}", "invalid_header", "/headers/X-A"),
        Arguments.of(
            "headers",
            "{\"List-Unsubscribe\":\"<https://x.test/\\r\\nX: 1>\"}",
            "invalid_header",
            "/headers/List-Unsubscribe"),
        // B11 to B18, B21 to B23
        Arguments.of(
            "from", "\"\\\"x\\\" <a@x.test>\\r\\nRCPT TO:<e@y>\"", "invalid_address", "/from"),
        Arguments.of("from", "\"a@x.test, b@y.test\"", "invalid_address", "/from"),
        Arguments.of("to", "[\"v@y.test\", \"v@y.test> SIZE=1\"]", "invalid_address", "/to/1"),
        Arguments.of("to", "[\"\", \"v@y.test ORCPT=x\"]", "invalid_address", "/to/1"),
        Arguments.of("to", "\"v@y.test\\r\\nDATA\"", "invalid_address", "/to"),
        Arguments.of("to", "[\"a@x.test,b@y.test\"]", "invalid_address", "/to/0"),
        Arguments.of("to", "\"undisclosed-recipients:;\"", "invalid_address", "/to"),
        Arguments.of("to", "\"a@localhost\"", "invalid_address", "/to"),
        Arguments.of("cc", "\"a@[127.0.0.1]\"", "invalid_address", "/cc"),
        Arguments.of("bcc", "[\"a@good.test(@evil.test)\"]", "invalid_address", "/bcc/0"),
        Arguments.of("to", "\"faß@fa\u200dß.de\"", "invalid_address", "/to"),
        Arguments.of("to", "\"a@y.test\\t\"", "invalid_address", "/to"),
        Arguments.of("to", "\"a@y.test\\u0000\"", "invalid_address", "/to"),
        Arguments.of("reply_to", "\"a@y.test\\r\\nX: 1\"", "invalid_address", "/reply_to"),
        Arguments.of("reply_to", "\"<>\"", "invalid_address", "/reply_to"),
        Arguments.of("return_path", "\"<a@y.test> SIZE=1\"", "invalid_address", "/return_path"),
        Arguments.of("return_path", "\"< >\"", "invalid_address", "/return_path"),
        // B24
        Arguments.of("message_id", "\"<a@b>\\r\\nX:\"", "invalid_message_id", "/message_id"),
        Arguments.of("message_id", "\"a@b\"", "invalid_message_id", "/message_id"),
        Arguments.of("message_id", "\"<ab>\"", "invalid_message_id", "/message_id"),
        Arguments.of("message_id", "\"<@b>\"", "invalid_message_id", "/message_id"),
        Arguments.of("message_id", "\"<a@>\"", "invalid_message_id", "/message_id"),
        Arguments.of("message_id", "\"<a@b> <c@d>\"", "invalid_message_id", "/message_id"),
        Arguments.of(
            "message_id", "\"<" + "a".repeat(2048) + "@b>\"", "invalid_message_id", "/message_id"),
        // B50
        Arguments.of("id", "\"" + "i".repeat(256) + "\"", "invalid_id", "/id"),
        Arguments.of("id", "\"" + "i".repeat(10_000) + "\"", "invalid_id", "/id"),
        Arguments.of("id", "\"a\\rb\"", "invalid_id", "/id"),
        Arguments.of("batch_code", "\"a,b\"", "invalid_batch_code", "/batch_code"),
        Arguments.of("batch_code", "\"a\\nb\"", "invalid_batch_code", "/batch_code"),
        Arguments.of(
            "batch_code", "\"" + "b".repeat(65) + "\"", "invalid_batch_code", "/batch_code"));
  }

  @ParameterizedTest(name = "{index} {0} {2}")
  @MethodSource("badValues")
  void rejectsTheItemWithTheBadValue(String field, String value, String code, String pointer) {
    Rejection rejection = rejected(with(field, value));
    assertThat(rejection.code()).isEqualTo(code);
    assertThat(rejection.pointer()).isEqualTo("/messages/1" + pointer);
    assertThat(rejection.reason()).hasSizeLessThan(250);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Bcc",
        "To",
        "Cc",
        "from",
        "SENDER",
        "Return-Path",
        "Received",
        "DKIM-Signature",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
        "Message-ID",
        "Resent-Bcc"
      })
  void rejectsReservedHeaders(String name) {
    Rejection rejection = rejected(with("headers", "{\"" + name + "\":\"x\"}"));
    assertThat(rejection.code()).isEqualTo("reserved_header");
    assertThat(rejection.reason()).contains(name);
    assertThat(rejection.pointer()).isEqualTo("/messages/1/headers/" + name);
  }

  @Test
  void rejectsTooManyHeaders() {
    ObjectNode item = item();
    ObjectNode headers = item.putObject("headers");
    for (int i = 0; i < 100; i++) {
      headers.put("X-" + i, "v");
    }
    accepted(item);
    headers.put("X-100", "v");
    assertThat(rejected(item).code()).isEqualTo("too_many_headers");
  }

  /** Filename, storage path, further fields, code, field. */
  @ParameterizedTest(name = "{index} {2}")
  @CsvSource(
      quoteCharacter = '`',
      textBlock =
          """
          `a\\"\\r\\nX-Injected: yes`, base64:QUJD, , invalid_filename, filename
          a\\u0000.pdf, base64:QUJD, , invalid_filename, filename
          a\\u202efdp.exe, base64:QUJD, , invalid_filename, filename
          ., base64:QUJD, , invalid_filename, filename
          .., base64:QUJD, , invalid_filename, filename
          dir/, base64:QUJD, , invalid_filename, filename
          {MD5:ab}, base64:QUJD, , invalid_filename, filename
          ``, base64:QUJD, , invalid_filename, filename
          a, base64:QUJD, `"mime_type":"text/plain\\r\\nX: y"`, invalid_mime_type, mime_type
          a, base64:QUJD, `"mime_type":"a"`, invalid_mime_type, mime_type
          a, base64:QUJD, `"mime_type":"a/b; boundary=x"`, invalid_mime_type, mime_type
          a, base64:QUJD, `"mime_type":"a/"`, invalid_mime_type, mime_type
          a, base64:QUJD, `"mime_type":"multipart/mixed"`, invalid_mime_type, mime_type
          a, base64:QUJD, `"mime_type":"Message/rfc822"`, invalid_mime_type, mime_type
          a, base64:QUJD, `"content_md5":"xyz"`, invalid_content_md5, content_md5
          a, base64:Q UJD, , invalid_base64, storage_path
          a, `base64:QUJD\\nQUJD`, , invalid_base64, storage_path
          a, base64:Q-_D, , invalid_base64, storage_path
          a, base64:QQ, , invalid_base64, storage_path
          a, base64:QQ=, , invalid_base64, storage_path
          a, base64:QR==, , invalid_base64, storage_path
          a, base64:Q===, , invalid_base64, storage_path
          a, base64:====, , invalid_base64, storage_path
          a, base64:QQ==QQ==, , invalid_base64, storage_path
          a, base64:, , invalid_base64, storage_path
          a, `data:text/plain;base64,QUJD`, `"fetch_mode":"base64"`, invalid_base64, storage_path
          a, https://x.test/a, , attachment_mode_unsupported, fetch_mode
          a, /etc/passwd, , attachment_mode_unsupported, fetch_mode
          a, doc_id=1, , attachment_mode_unsupported, fetch_mode
          a, base64:QUJD, `"fetch_mode":"endpoint"`, attachment_mode_unsupported, fetch_mode
          """)
  void rejectsTheItemWithABadAttachment(
      String filename, String path, String more, String code, String field) {
    String attachment =
        "{\"filename\":\"%s\",\"storage_path\":\"%s\"%s}"
            .formatted(filename, path, more == null ? "" : "," + more);
    Rejection rejection = rejected(with("attachments", "[" + attachment + "]"));
    assertThat(rejection.code()).isEqualTo(code);
    assertThat(rejection.pointer()).isEqualTo("/messages/1/attachments/0/" + field);
  }

  @Test
  void namesTheModeThatIsNotThere() {
    JsonNode item =
        with("attachments", "[{\"filename\":\"a\",\"storage_path\":\"https://x.test/a\"}]");
    assertThat(rejected(item).reason()).contains("http_url", "not available yet");
  }

  @ParameterizedTest
  @CsvSource({
    "../../etc/cron.d/x, x, application/octet-stream",
    "C:\\x.PDF, x.PDF, application/pdf",
    "report_{MD5:abc123}.pdf, report.pdf, application/pdf",
    "a__b_{MD5:ABC}_c.png, a_b_c.png, image/png",
    "a__b.csv, a__b.csv, text/csv",
    "{MD5:xyz}.txt, {MD5:xyz}.txt, text/plain",
    "Übersicht.docx, Übersicht.docx,"
        + " application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "mail.eml, mail.eml, application/octet-stream"
  })
  void cleansFilenames(String given, String name, String type) {
    ObjectNode item = item();
    item.putArray("attachments")
        .addObject()
        .put("filename", given)
        .put("storage_path", "base64:QQ==");
    assertThat(accepted(item).attachments()).containsExactly(new Attachment(name, type, "QQ=="));
  }

  @Test
  void longFilenames() {
    ObjectNode item = item();
    ObjectNode file = item.putArray("attachments").addObject().put("storage_path", "base64:QQ==");
    file.put("filename", "ü".repeat(255));
    accepted(item);
    file.put("filename", "ü".repeat(256));
    assertThat(rejected(item).code()).isEqualTo("invalid_filename");
  }

  /** JSON of the body, type and loc of the first entry. */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          []                                              | model_attributes_type | [body]
          "text"                                          | model_attributes_type | [body]
          {}                                              | missing      | [body, messages]
          {"messages":null}                               | list_type    | [body, messages]
          {"messages":{}}                                 | list_type    | [body, messages]
          {"messages":"x"}                                | list_type    | [body, messages]
          {"messages":[],"default_priority":"urgent"}     | value_error  | [body, default_priority]
          {"messages":[],"default_priority":[1]}          | int_type     | [body, default_priority]
          {"messages":["x"]}                              | model_attributes_type | [body, messages, 0]
          {"messages":[{},null]}                          | model_attributes_type | [body, messages, 1]
          {"messages":[{"id":5}]}                         | string_type  | [body, messages, 0, id]
          {"messages":[{"tenant_id":5}]}                  | string_type  | [body, messages, 0, tenant_id]
          {"messages":[{"account_id":true}]}              | string_type  | [body, messages, 0, account_id]
          {"messages":[{},{"from":{}}]}                   | string_type  | [body, messages, 1, from]
          {"messages":[{"subject":5}]}                    | string_type  | [body, messages, 0, subject]
          {"messages":[{"body":["x"]}]}                   | string_type  | [body, messages, 0, body]
          {"messages":[{"to":7}]}                         | string_type  | [body, messages, 0, to]
          {"messages":[{"to":["a@x.test",7]}]}            | string_type  | [body, messages, 0, to, 1]
          {"messages":[{"to":["a@x.test",null]}]}         | string_type  | [body, messages, 0, to, 1]
          {"messages":[{"cc":{}}]}                        | string_type  | [body, messages, 0, cc]
          {"messages":[{"bcc":false}]}                    | string_type  | [body, messages, 0, bcc]
          {"messages":[{"reply_to":1}]}                   | string_type  | [body, messages, 0, reply_to]
          {"messages":[{"content_type":1}]}               | string_type  | [body, messages, 0, content_type]
          {"messages":[{"headers":[]}]}                   | dict_type    | [body, messages, 0, headers]
          {"messages":[{"headers":{"X":[1]}}]}            | string_type  | [body, messages, 0, headers, X]
          {"messages":[{"headers":{"X":1e999}}]}          | finite_number | [body, messages, 0, headers, X]
          {"messages":[{"priority":"urgent"}]}            | value_error  | [body, messages, 0, priority]
          {"messages":[{"priority":"1"}]}                 | value_error  | [body, messages, 0, priority]
          {"messages":[{"priority":true}]}                | int_type     | [body, messages, 0, priority]
          {"messages":[{"priority":1.5}]}                 | int_from_float | [body, messages, 0, priority]
          {"messages":[{"deferred_ts":"soon"}]}           | int_type     | [body, messages, 0, deferred_ts]
          {"messages":[{"deferred_ts":1e999999}]}         | finite_number | [body, messages, 0, deferred_ts]
          {"messages":[{"expires_ts":1.5}]}               | int_from_float | [body, messages, 0, expires_ts]
          {"messages":[{"batch_code":1}]}                 | string_type  | [body, messages, 0, batch_code]
          {"messages":[{"subject":"\\ud800"}]}            | string_unicode | [body, messages, 0, subject]
          {"messages":[{"body":"\\udc00x"}]}              | string_unicode | [body, messages, 0, body]
          {"messages":[{"attachments":{}}]}               | list_type    | [body, messages, 0, attachments]
          {"messages":[{"attachments":["x"]}]}            | model_attributes_type | [body, messages, 0, attachments, 0]
          {"messages":[{"attachments":[{"storage_path":"x"}]}]} | missing | [body, messages, 0, attachments, 0, filename]
          {"messages":[{"attachments":[{"filename":"x"}]}]} | missing    | [body, messages, 0, attachments, 0, storage_path]
          {"messages":[{"attachments":[{"filename":"x","storage_path":"x","fetch_mode":"ftp"}]}]} | literal_error | [body, messages, 0, attachments, 0, fetch_mode]
          {"messages":[{"attachments":[{"filename":"x","storage_path":"x","content":"x"}]}]} | extra_forbidden | [body, messages, 0, attachments, 0, content]
          {"messages":[{"attachments":[{"filename":"x","storage_path":"x","auth":"bearer"}]}]} | model_attributes_type | [body, messages, 0, attachments, 0, auth]
          {"messages":[{"attachments":[{"filename":"x","storage_path":"x","auth":{"method":"none","x":1}}]}]} | extra_forbidden | [body, messages, 0, attachments, 0, auth, x]
          {"messages":[{"attachments":[{"filename":"x","storage_path":"x","auth":{"method":"x"}}]}]} | literal_error | [body, messages, 0, attachments, 0, auth, method]
          {"messages":[{"attachments":[{"filename":"x","storage_path":"x","auth":{"token":12345}}]}]} | string_type | [body, messages, 0, attachments, 0, auth, token]
          """)
  void refusesTheCallForAWrongType(String body, String type, String loc) {
    Problem problem = problem(() -> reader.read(json(body), null));
    assertThat(problem.getStatus()).isEqualTo(422);
    Map<?, ?> entry = (Map<?, ?>) ((List<?>) problem.getDetail()).get(0);
    assertThat(entry.get("type")).isEqualTo(type);
    assertThat(entry.get("loc")).hasToString(loc);
    assertThat(entry.get("msg")).isNotNull();
    assertThat(Json.text(problem.getDetail())).doesNotContain("12345");
  }

  @Test
  void collectsTypeErrorsUpToABound() {
    ObjectNode wrong = item().put("subject", 5).put("from", true);
    Problem two = problem(() -> reader.read(body(wrong), null));
    assertThat(Json.text(two.getDetail()))
        .isEqualTo(
            "[{\"type\":\"string_type\",\"loc\":[\"body\",\"messages\",0,\"from\"],"
                + "\"msg\":\"Input should be a valid string\",\"input\":true},"
                + "{\"type\":\"string_type\",\"loc\":[\"body\",\"messages\",0,\"subject\"],"
                + "\"msg\":\"Input should be a valid string\",\"input\":5}]");
    JsonNode[] many = Stream.generate(() -> wrong).limit(200).toArray(JsonNode[]::new);
    Problem capped = problem(() -> reader.read(body(many), null));
    assertThat((List<?>) capped.getDetail()).hasSize(50);
  }

  @Test
  void aWrongTypeIsToldBeforeAWrongTenant() {
    ObjectNode item = item().put("tenant_id", "acme").put("subject", 5);
    assertThat(problem(() -> reader.read(body(item), "beta")).getStatus()).isEqualTo(422);
  }

  @Test
  void limitsTheItemsOfACall() {
    JsonNode[] items = new JsonNode[1001];
    for (int i = 0; i < items.length; i++) {
      items[i] = withText("id", "m" + i);
    }
    Problem problem = problem(() -> read(items));
    assertThat(problem.getStatus()).isEqualTo(400);
    assertThat(Json.text(problem.getDetail()))
        .isEqualTo(
            "{\"error\":\"Cannot enqueue more than 1000 messages at once\",\"rejected\":null}");
    Batch full = reader.read(body(java.util.Arrays.copyOf(items, 1000)), null);
    assertThat(full.submissions()).hasSize(1000);
    assertThat(reader.read(body(), null)).isEqualTo(new Batch(0, List.of(), List.of()));
  }

  @Test
  void countsTheSameContentTwice() {
    ObjectNode again = item().put("to", "v@y.test").put("priority", "medium");
    again.putArray("cc");
    Batch batch = read(item(), withText("id", "m2"), again);
    assertThat(batch.rejected()).isEmpty();
    assertThat(batch.submissions()).hasSize(2);
    assertThat(batch.submissions().get(0).copies()).containsExactly(2);
    assertThat(batch.submissions().get(0).items()).isEqualTo(2);
  }

  @Test
  void rejectsOtherContentUnderTheSameId() {
    Batch batch = read(item(), withText("subject", "Other"));
    assertThat(batch.submissions()).hasSize(1);
    assertThat(batch.rejected())
        .extracting(Rejection::index, Rejection::code, Rejection::pointer)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(1, "duplicate_in_batch", "/messages/1/id"));
    Batch tenants =
        read(
            item().put("account_id", "shared").put("tenant_id", "acme"),
            item().put("account_id", "shared").put("tenant_id", "beta"));
    assertThat(tenants.submissions()).hasSize(2);
    Batch freed = read(withText("from", "bad"), item());
    assertThat(freed.submissions()).extracting(Submission::index).containsExactly(1);
  }

  @ParameterizedTest
  @CsvSource({
    "7, LOW",
    "-4, IMMEDIATE",
    "99999999999999999999, LOW",
    "1.0, HIGH",
    "'\"HIGH\"', HIGH",
    "'\"immediate\"', IMMEDIATE",
    "null, LOW"
  })
  void readsPriorities(String value, Priority expected) {
    ObjectNode body = body(with("priority", value)).put("default_priority", "low");
    Batch batch = reader.read(body, null);
    assertThat(batch.submissions().get(0).message().priority()).isEqualTo(expected);
    assertThat(json(batch.submissions().get(0).payload()).get("priority").isInt()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "-1, -1",
    "253402300800, 253402300800",
    "1700000000000, 1700000000000",
    "1.7e9, 1700000000",
    "-99999999999999999999999, -9007199254740991"
  })
  void takesAnyInteger(String value, long expected) {
    assertThat(accepted(with("deferred_ts", value)).deferredTs()).isEqualTo(expected);
    assertThat(Math.multiplyExact(expected, 1000L)).isNotZero();
  }

  @ParameterizedTest
  @CsvSource({
    "'{\"content_type\":\"html\"}', true",
    "'{\"content_type\":\"HTML\"}', false",
    "'{\"content_type\":\"text/html\"}', false",
    "'{\"html\":true}', true",
    "'{\"html\":\"<b>\"}', false",
    "'{\"html\":true,\"content_type\":\"plain\"}', false",
    "'{}', false"
  })
  void readsTheContentType(String fields, boolean html) {
    ObjectNode item = item();
    item.setAll((ObjectNode) json(fields));
    assertThat(accepted(item).html()).isEqualTo(html);
  }

  @Test
  void theNullSenderIsAskedForExplicitly() {
    assertThat(accepted(withText("return_path", "<>")).sender()).isEmpty();
    assertThat(accepted(withText("return_path", "")).sender()).isEqualTo("shop@example.test");
    assertThat(accepted(withText("return_path", "Bounces <b@x.test>")).sender())
        .isEqualTo("b@x.test");
  }

  @Test
  void limitsWhatAMessageWeighs() {
    BatchReader small = new BatchReader(DIRECTORY, new IntakeLimits(2, 100), Priority.MEDIUM);
    Batch heavy = small.read(body(withText("body", "ü".repeat(51))), null);
    assertThat(heavy.rejected().get(0).code()).isEqualTo("message_too_large");
    Batch file =
        small.read(
            body(
                with(
                    "attachments",
                    "[{\"filename\":\"a\",\"storage_path\":\"%s\",\"fetch_mode\":\"base64\"}]"
                        .formatted("QUJD".repeat(34)))),
            null);
    assertThat(file.rejected().get(0).code()).isEqualTo("message_too_large");
    Batch many = small.read(body(with("to", "[\"a@x.test\",\"b@x.test\",\"c@x.test\"]")), null);
    assertThat(many.rejected().get(0).code()).isEqualTo("too_many_recipients");
    assertThat(many.rejected().get(0).pointer()).isEqualTo("/messages/0/to/2");
    Batch same = small.read(body(with("to", "[\"a@x.test\",\"b@x.test\",\"a@X.test\"]")), null);
    assertThat(same.rejected()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"'; drop table messages;--", "\\", "%_", "{{7*7}}", "${body}", "<img>"})
  void whatIsCodeElsewhereIsTextHere(String text) {
    ObjectNode item = item().put("subject", text).put("body", text).put("batch_code", text);
    item.put("id", text).putObject("headers").put("X-A", text);
    Message message = accepted(item);
    assertThat(message.subject()).isEqualTo(text);
    assertThat(message.id()).isEqualTo(text);
    assertThat(message.headers()).containsEntry("X-A", text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hi\n.\nMAIL FROM:<e@x>",
        "\r.\r",
        "\r\n.\r\n",
        "\n.\r\n",
        "\r\n.\r",
        "nul \0 and \u0001",
        ""
      })
  void anyBodyIsKept(String text) {
    assertThat(accepted(withText("body", text)).body()).isEqualTo(text);
  }

  /** B34 to B36, B38: the mapper refuses before any check. */
  @Test
  void brokenJsonDoesNotComeThisFar() {
    for (String text :
        List.of(
            "[".repeat(10_000),
            "{\"messages\":" + "1".repeat(1_000_000) + "}",
            "{\"a\":NaN}",
            "{\"to\":\"a\",\"to\":\"b\"}",
            "{} {}")) {
      assertThatThrownBy(() -> Json.MAPPER.readTree(text))
          .isInstanceOf(JsonProcessingException.class);
    }
    assertThatThrownBy(() -> Json.MAPPER.readTree(new byte[] {'"', (byte) 0xff, '"'}))
        .isInstanceOf(java.io.IOException.class);
  }

  @Test
  void largeBase64IsReadWithoutDecoding() {
    String text = Base64.getEncoder().encodeToString(new byte[3_000_000]);
    assertThat(Base64Text.isValid(text)).isTrue();
    assertThat(Base64Text.isValid(text + "A")).isFalse();
    for (int length = 1; length < 9; length++) {
      byte[] bytes = "\u00ff\u00fe-abcdef".getBytes(StandardCharsets.ISO_8859_1);
      byte[] part = java.util.Arrays.copyOf(bytes, length);
      assertThat(Base64Text.isValid(Base64.getEncoder().encodeToString(part))).isTrue();
    }
  }

  @Test
  void aForeignTextIsNoPayload() {
    assertThatThrownBy(() -> MessageReader.read("{\"id\":\"x\"}"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> MessageReader.read("{\"id\":5}"))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
