package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.TOKEN;
import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Json;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What comes in broken is answered with a 4xx, and nothing of it is kept. */
class BadInputTest {
  private static final int MAX_BODY = 200_000;
  private static final String ADD = "/commands/add-messages";

  @TempDir static Path home;
  private static TestProxy proxy;

  @BeforeAll
  static void start() {
    proxy = TestProxy.start(home, "http.max-body-bytes", "" + MAX_BODY);
    proxy.sandboxAccount("acme", "main");
  }

  @AfterAll
  static void stop() {
    proxy.close();
  }

  /** Every test here is about something that must not get in. */
  @AfterEach
  void nothing_is_stored_and_the_service_goes_on() throws Exception {
    for (String table : List.of("message", "recipient", "queue", "event")) {
      assertThat(count("SELECT count(*) FROM " + table)).as(table).isZero();
    }
    assertThat(count("SELECT count(*) FROM account")).isEqualTo(1);
    assertThat(count("SELECT count(*) FROM tenant")).isZero();
    assertThat(proxy.get("/health").statusCode()).isEqualTo(200);
  }

  private static long count(String query) throws Exception {
    try (Connection connection = proxy.proxy().bean("reader", DataSource.class).getConnection();
        var rows = connection.createStatement().executeQuery(query)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  private static HttpResponse<String> add(Object... fields) {
    return proxy.post(ADD, Map.of("messages", List.of(message("acme", "main", "m", fields))));
  }

  private static Arguments row(
      String name, String field, Object value, String code, String pointer) {
    return Arguments.of(name, field, value, code, pointer);
  }

  static Stream<Arguments> badValues() {
    List<Arguments> rows = new ArrayList<>();
    for (String subject :
        List.of(
            "Hi\r\nBcc: victim@x", "Hi\nX: 1", "Hi\rX", "Hi\u0085X", "Hi\u2028X", "Hi\u2029X")) {
      rows.add(row("B1 B2", "subject", subject, "invalid_subject", "/subject"));
    }
    rows.add(
        row("B3", "headers", Map.of("X-A", "1\r\nX-Evil: 1"), "invalid_header", "/headers/X-A"));
    for (String name : List.of("X-A: 1\r\nX-Evil", "X A", "", "Ж", "X:")) {
      rows.add(row("B4", "headers", Map.of(name, "1"), "invalid_header", "/headers"));
    }
    for (String name :
        List.of(
            "Bcc",
            "to",
            "From",
            "Sender",
            "Return-Path",
            "Received",
            "DKIM-Signature",
            "Content-Type",
            "MIME-Version",
            "Message-ID")) {
      rows.add(row("B5", "headers", Map.of(name, "1"), "reserved_header", "/headers/" + name));
    }
    Map<String, String> many = new HashMap<>();
    for (int i = 0; i < 5_000; i++) {
      many.put("X-" + i, "1");
    }
    rows.add(row("B6", "headers", many, "too_many_headers", "/headers"));
    rows.add(
        row("B6", "headers", Map.of("X-A", "x".repeat(100_000)), "invalid_header", "/headers/X-A"));
    for (String filename :
        List.of(
            "a\"\r\nX-Injected: yes",
            "a\0.pdf",
            ".",
            "..",
            "a/..",
            "f".repeat(300),
            "a\u202Efdp.exe")) {
      rows.add(
          row(
              "B7 B8",
              "attachments",
              attachment("filename", filename),
              "invalid_filename",
              "/attachments/0/filename"));
    }
    for (String type :
        List.of(
            "text/plain\r\nX: y",
            "a",
            "a/b; boundary=\"x\"",
            "multipart/mixed",
            "message/rfc822")) {
      rows.add(
          row(
              "B9",
              "attachments",
              attachment("mime_type", type),
              "invalid_mime_type",
              "/attachments/0/mime_type"));
    }
    String wide = "v\u760D\u760ADATA@y.test";
    for (Object address :
        List.of(
            "\"x\" <a@x.test>\r\nRCPT TO:<e@y>",
            "v@y.test> SIZE=1",
            "v@y.test ORCPT=rfc822;x",
            "v@y.test\r\nDATA",
            "\"v\r\nRCPT TO:<e@y>\"@y.test",
            "undisclosed-recipients:;",
            "grp: a@x.test, b@y.test;",
            "g:".repeat(5_000) + "a@x.test" + ";".repeat(5_000),
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "a@localhost",
            "a@127.0.0.1",
            "a@good.test(@evil.test)",
            "l".repeat(65) + "@y.test",
            "a@" + "d".repeat(60) + ("." + "d".repeat(60)).repeat(4) + ".test",
            "faß@fa\u200dß.de",
            "a\u200d@x\u200dy.test",
            "a@y.test\0",
            "a@y.test\t",
            "\ufeffa@y.test",
            "<>",
            wide.replace("v", "\u0085"))) {
      rows.add(row("B11-B22", "to", List.of(address), "invalid_address", "/to/0"));
      rows.add(row("B11-B22", "from", address, "invalid_address", "/from"));
      rows.add(row("B23", "reply_to", List.of(address), "invalid_address", "/reply_to/0"));
      if (!address.equals("<>")) {
        rows.add(row("B23", "return_path", address, "invalid_address", "/return_path"));
      }
    }
    rows.add(row("B14", "to", List.of("a@x.test,b@y.test"), "invalid_address", "/to/0"));
    rows.add(row("B14", "from", "a@x.test,b@y.test", "invalid_address", "/from"));
    for (String messageId :
        List.of("<a@b>\r\nX:", "a@b", "<ab>", "<" + "a".repeat(2048) + "@b>", "<ü@b>")) {
      rows.add(row("B24", "message_id", messageId, "invalid_message_id", "/message_id"));
    }
    for (String id : List.of("a\rb", "a\0", "i".repeat(256), "i".repeat(10_000))) {
      rows.add(row("B50", "id", id, "invalid_id", "/id"));
    }
    for (String content :
        List.of("QU JD", "QUJD\n", "QU-_", "QUJ", "QUJDR===", "", "data:text/plain;base64,QUJD")) {
      rows.add(
          row(
              "B79",
              "attachments",
              attachment("storage_path", "base64:" + content),
              "invalid_base64",
              "/attachments/0/storage_path"));
    }
    return rows.stream();
  }

  private static List<Map<String, Object>> attachment(String field, String value) {
    Map<String, Object> attachment = new HashMap<>();
    attachment.put("filename", "a.txt");
    attachment.put("storage_path", "base64:QUJD");
    attachment.put(field, value);
    return List.of(attachment);
  }

  @ParameterizedTest(name = "{0} {1} {index}")
  @MethodSource("badValues")
  void a_bad_value_rejects_its_item(
      String row, String field, Object value, String code, String pointer) {
    HttpResponse<String> answer = add(field, value);

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
    JsonNode detail = json(answer).path("detail");
    assertThat(detail.has("error")).isTrue();
    assertThat(detail.path("rejected")).hasSize(1);
    JsonNode rejected = detail.path("rejected").get(0);
    assertThat(rejected.path("code").asText()).as(answer.body()).isEqualTo(code);
    assertThat(rejected.path("pointer").asText()).isEqualTo("/messages/0" + pointer);
    assertThat(rejected.path("index").asInt(-1)).isZero();
    assertThat(rejected.path("reason").asText()).isNotBlank().doesNotContain("\r", "\n");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongTypes")
  void a_wrong_json_type_refuses_the_batch(String item, String loc) {
    String good = Json.text(message("acme", "main", "good"));
    HttpResponse<String> answer = proxy.post(ADD, "{\"messages\":[" + good + "," + item + "]}");

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
    JsonNode entry = json(answer).path("detail").get(0);
    assertThat(entry.path("loc").toString()).isEqualTo("[\"body\",\"messages\",1" + loc + "]");
    assertThat(entry.path("type").asText()).isNotBlank();
    assertThat(entry.path("msg").asText()).isNotBlank();
  }

  static Stream<Arguments> wrongTypes() {
    return Stream.of(
        Arguments.of("7", ""),
        Arguments.of("{\"id\":7}", ",\"id\""),
        Arguments.of("{\"id\":\"\\ud800\"}", ",\"id\""),
        Arguments.of("{\"to\":{}}", ",\"to\""),
        Arguments.of("{\"to\":[1]}", ",\"to\",0"),
        Arguments.of("{\"from\":[\"a@x.test\"]}", ",\"from\""),
        Arguments.of("{\"subject\":\"\\ud800\"}", ",\"subject\""),
        Arguments.of("{\"body\":\"\\udc00\"}", ",\"body\""),
        Arguments.of("{\"headers\":[]}", ",\"headers\""),
        Arguments.of("{\"headers\":{\"X\":{}}}", ",\"headers\",\"X\""),
        Arguments.of("{\"priority\":\"urgent\"}", ",\"priority\""),
        Arguments.of("{\"priority\":1e999999}", ",\"priority\""),
        Arguments.of("{\"priority\":[]}", ",\"priority\""),
        Arguments.of("{\"deferred_ts\":\"tomorrow\"}", ",\"deferred_ts\""),
        Arguments.of("{\"deferred_ts\":1.5}", ",\"deferred_ts\""),
        Arguments.of("{\"attachments\":{}}", ",\"attachments\""),
        Arguments.of(
            "{\"attachments\":[{\"filename\":\"a\",\"storage_path\":\"b\",\"x\":1}]}",
            ",\"attachments\",0,\"x\""),
        Arguments.of(
            "{\"attachments\":[{\"filename\":\"a\"}]}", ",\"attachments\",0,\"storage_path\""),
        Arguments.of(
            "{\"attachments\":[{\"filename\":\"a\",\"storage_path\":\"b\",\"fetch_mode\":\"ftp\"}]}",
            ",\"attachments\",0,\"fetch_mode\""));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("noJson")
  void what_is_no_json_is_refused_as_such(String name, byte[] body) {
    for (String path : List.of(ADD, "/account", "/tenant")) {
      HttpResponse<String> answer =
          proxy.send(
              proxy
                  .request(path)
                  .header("Content-Type", "application/json")
                  .POST(BodyPublishers.ofByteArray(body))
                  .build());

      assertThat(answer.statusCode()).as(path + " " + answer.body()).isEqualTo(422);
      JsonNode entry = json(answer).path("detail").get(0);
      assertThat(entry.path("type").asText()).isIn("json_invalid", "missing");
      assertThat(entry.path("loc").get(0).asText()).isEqualTo("body");
    }
  }

  static Stream<Arguments> noJson() {
    Charset utf8 = StandardCharsets.UTF_8;
    String item = Json.text(Map.of("messages", List.of(message("acme", "main", "m"))));
    byte[] invalid = item.getBytes(utf8);
    invalid[item.indexOf("Subject of")] = (byte) 0xff;
    return Stream.of(
        Arguments.of("nothing", new byte[0]),
        Arguments.of("blank", "  ".getBytes(utf8)),
        Arguments.of("cut off", item.substring(0, item.length() - 3).getBytes(utf8)),
        Arguments.of("more after the end", (item + "{}").getBytes(utf8)),
        Arguments.of("B34 arrays", "[".repeat(10_000).getBytes(utf8)),
        Arguments.of("B34 objects", "{\"messages\":".repeat(10_000).getBytes(utf8)),
        Arguments.of(
            "B35 digits",
            ("{\"messages\":[],\"default_priority\":" + "9".repeat(100_000) + "}").getBytes(utf8)),
        Arguments.of("B35 NaN", "{\"messages\":[],\"default_priority\":NaN}".getBytes(utf8)),
        Arguments.of("B36", "{\"messages\":[],\"messages\":[]}".getBytes(utf8)),
        Arguments.of("B38 BOM", ("\ufeff" + item).getBytes(utf8)),
        Arguments.of("B38 UTF-16", item.getBytes(StandardCharsets.UTF_16)),
        Arguments.of("B38 UTF-16LE", item.getBytes(StandardCharsets.UTF_16LE)),
        Arguments.of("B38 invalid UTF-8", invalid),
        Arguments.of(
            "B38 surrogate in UTF-8",
            new byte[] {'{', '"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"', ':', '1', '}'}));
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "7", "null", "\"messages\"", "{}", "{\"messages\":{}}"})
  void json_of_another_form_is_refused(String body) {
    assertThat(proxy.post(ADD, body).statusCode()).isEqualTo(422);
    assertThat(proxy.post("/account", body).statusCode()).isEqualTo(422);
    assertThat(proxy.post("/tenant", body).statusCode()).isEqualTo(422);
  }

  @Test
  void B52_more_than_1000_items_are_refused() {
    List<Object> items = new ArrayList<>();
    for (int i = 0; i < 1_001; i++) {
      items.add(Map.of());
    }
    HttpResponse<String> answer = proxy.post(ADD, Map.of("messages", items));

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(json(answer).path("code").textValue()).isEqualTo("batch_too_large");
    assertThat(json(answer).path("detail"))
        .isEqualTo(
            Json.tree(
                "{\"error\":\"Cannot enqueue more than 1000 messages at once\","
                    + "\"rejected\":null}"));
  }

  @Test
  void B39_a_byte_too_many_is_too_large() {
    HttpResponse<String> answer = proxy.post(ADD, "{" + " ".repeat(MAX_BODY));

    assertThat(answer.statusCode()).isEqualTo(413);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
    assertThat(json(answer).path("detail").asText()).isNotBlank();

    assertThat(proxy.post(ADD, "{\"messages\":[]}" + " ".repeat(MAX_BODY - 15)).statusCode())
        .as("as many as are allowed")
        .isEqualTo(200);
  }

  @Test
  void B39_an_endless_body_is_cut_off() throws Exception {
    String head =
        "POST /commands/add-messages HTTP/1.1\r\nHost: x\r\nX-API-Token: "
            + TOKEN
            + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    RawHttp.Endless endless =
        RawHttp.sendEndlessly(proxy.proxy().uri(), head, "4000\r\n" + " ".repeat(0x4000) + "\r\n");

    assertThat(endless.answer()).startsWith("HTTP/1.1 413").contains("\"detail\"");
    assertThat(endless.sent()).as("bytes the server took").isLessThan(RawHttp.MOST);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "abc", "1, 2", "99999999999999999999"})
  void B39_a_length_that_is_none_is_a_bad_request(String length) throws Exception {
    String answer =
        RawHttp.send(
            proxy.proxy().uri(),
            "POST /commands/add-messages HTTP/1.1\r\nHost: x\r\nX-API-Token: "
                + TOKEN
                + "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                + length
                + "\r\n\r\n{}");

    assertThat(answer).startsWith("HTTP/1.1 400");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "text/plain",
        "application/x-java-serialized-object",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "none"
      })
  void B41_other_content_is_not_read(String type) {
    for (String path : List.of(ADD, "/account", "/tenant")) {
      var request = proxy.request(path).POST(BodyPublishers.ofString("{\"messages\":[]}"));
      if (!type.equals("none")) {
        request.header("Content-Type", type);
      }
      HttpResponse<String> answer = proxy.send(request.build());
      assertThat(answer.statusCode()).as(path).isEqualTo(415);
      assertThat(json(answer).path("detail").asText()).contains("application/json");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "deflate", "br", "x"})
  void B40_packed_content_is_not_read(String encoding) {
    HttpResponse<String> answer =
        proxy.send(
            proxy
                .request(ADD)
                .header("Content-Type", "application/json")
                .header("Content-Encoding", encoding)
                .POST(BodyPublishers.ofByteArray(new byte[1_000]))
                .build());

    assertThat(answer.statusCode()).isEqualTo(415);
    assertThat(json(answer).path("detail").asText()).contains("Content-Encoding");
  }

  static Stream<Arguments> badAccounts() {
    return Stream.of(
        Arguments.of("user", "a\r\nb"),
        Arguments.of("user", "a\0b"),
        Arguments.of("password", "a\nb"),
        Arguments.of("password", "\rb"),
        Arguments.of("password", "\0"),
        Arguments.of("password", "\ud800"),
        Arguments.of("host", "x\r\nMAIL FROM:<e>"),
        Arguments.of("host", "a b"),
        Arguments.of("host", "a%0d%0a"),
        Arguments.of("host", ""),
        Arguments.of("host", 7),
        Arguments.of("host", "relay.test:25"),
        Arguments.of("host", "a b"),
        Arguments.of("port", 0),
        Arguments.of("port", 65_536),
        Arguments.of("port", -1),
        Arguments.of("port", 1e99),
        Arguments.of("id", ""),
        Arguments.of("id", "a\rb"),
        Arguments.of("id", "\udfff"),
        Arguments.of("id", "i".repeat(256)),
        Arguments.of("tenant_id", "\ud800"),
        Arguments.of("tenant_id", List.of()),
        Arguments.of("use_tls", "perhaps"),
        Arguments.of("limit_per_minute", "many"),
        Arguments.of("max_connections", 0),
        Arguments.of("local_address", "1.2.3.4\r\n"),
        Arguments.of("tls_ca", "no pem"),
        Arguments.of("type", "pigeon"));
  }

  @ParameterizedTest(name = "{0} {index}")
  @MethodSource("badAccounts")
  void B26_a_bad_account_is_refused(String field, Object value) {
    Map<String, Object> account = new HashMap<>();
    account.putAll(Map.of("id", "new", "tenant_id", "acme", "host", "relay.test", "port", 25));
    account.put(field, value);
    HttpResponse<String> answer = proxy.post("/account", escaped(account));

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
    assertThat(json(answer).path("detail").get(0).path("loc").toString())
        .isEqualTo("[\"body\",\"" + field + "\"]");
  }

  /** In ASCII, so that half of a surrogate pair gets over the wire. */
  private static String escaped(Object value) {
    StringBuilder ascii = new StringBuilder();
    for (char c : Json.text(value).toCharArray()) {
      ascii.append(c < 0x7f ? "" + c : String.format("\\u%04x", (int) c));
    }
    return ascii.toString();
  }

  static Stream<Arguments> badTenants() {
    return Stream.of(
        Arguments.of("id", ""),
        Arguments.of("id", "a\nb"),
        Arguments.of("name", "\ud800"),
        Arguments.of("name", 1),
        Arguments.of("active", "yes"),
        Arguments.of("client_base_url", "file:///etc/passwd"),
        Arguments.of("client_base_url", "http:///x"),
        Arguments.of("client_base_url", "http://user:secret@x.test"),
        Arguments.of("client_base_url", "http://x.test/\r\nX: 1"),
        Arguments.of("client_base_url", "no url"),
        Arguments.of("client_base_url", "http://x.test:99999/"),
        Arguments.of("client_sync_path", "/a b"),
        Arguments.of("client_sync_path", "/a#b"),
        Arguments.of("client_auth", "bearer"),
        Arguments.of("client_auth", Map.of("method", "bearer", "token", 7)),
        Arguments.of("client_auth", Map.of("method", "digest")),
        Arguments.of("rate_limits", List.of()));
  }

  @ParameterizedTest(name = "{0} {index}")
  @MethodSource("badTenants")
  void a_bad_tenant_is_refused(String field, Object value) {
    Map<String, Object> tenant = new HashMap<>();
    tenant.put("id", "new");
    tenant.put(field, value);
    HttpResponse<String> answer = proxy.post("/tenant", escaped(tenant));

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
    assertThat(answer.body()).doesNotContain("secret");
    assertThat(json(answer).path("detail").get(0).path("loc").toString())
        .startsWith("[\"body\",\"" + field + "\"");
  }

  static Stream<Arguments> strayHeaders() {
    return Stream.of(
            "CAmelHttpUri: http://127.0.0.1/",
            "CamelHttpResponseCode: 299",
            "CamelHttpMethod: DELETE",
            "CamelHttpPath: /account/main",
            "CamelBeanMethodName: read",
            "camelbeanmethodname: ok",
            "CAmelBeanMethodName: live",
            "CamelSqlQuery: drop table message",
            "CamelJdbcParameters: x",
            "CamelJdbcRetrieveGeneratedKeys: true",
            "CamelFileName: x",
            "CamelToEndpoint: file:x",
            "mail.smtp.host: evil",
            "To: x",
            "Subject: stray-canary",
            "tenant: acme",
            "lane: 1",
            "id: main",
            "X-Stray: stray-canary")
        .map(Arguments::of);
  }

  @ParameterizedTest
  @MethodSource("strayHeaders")
  void B42_no_header_or_parameter_has_an_effect(String header) throws Exception {
    String name = header.substring(0, header.indexOf(':'));
    String value = header.substring(header.indexOf(':') + 2);
    String query = name + "=" + value.replace(" ", "%20");
    for (String token : List.of("X-API-Token: " + TOKEN + "\r\n", "")) {
      for (String path : List.of("/metrics", "/health", "/status", "/messages", "/nowhere")) {
        String plain = head(RawHttp.send(proxy.proxy().uri(), get(path, "tenant_id=none", token)));
        String with =
            RawHttp.send(
                proxy.proxy().uri(), get(path, "tenant_id=none&" + query, token + header + "\r\n"));
        assertThat(head(with)).as(path).isEqualTo(plain);
        assertThat(with).doesNotContain("stray-canary", "evil");
      }
      String body = "{\"messages\":[]}";
      String posted =
          RawHttp.send(
              proxy.proxy().uri(),
              "POST /commands/add-messages?"
                  + query
                  + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                  + token
                  + header
                  + "\r\nContent-Type: application/json\r\nContent-Length: "
                  + body.length()
                  + "\r\n\r\n"
                  + body);
      assertThat(posted)
          .startsWith(token.isEmpty() ? "HTTP/1.1 401" : "HTTP/1.1 200")
          .doesNotContain(name + ":", "stray-canary");
    }
  }

  private static String get(String path, String query, String headers) {
    return "GET "
        + path
        + "?"
        + query
        + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        + headers
        + "\r\n";
  }

  /** Status line and header names. */
  private static String head(String answer) {
    StringBuilder head = new StringBuilder();
    for (String line : answer.substring(0, answer.indexOf("\r\n\r\n")).split("\r\n", -1)) {
      head.append(head.length() == 0 ? line : line.substring(0, line.indexOf(':'))).append('\n');
    }
    return head.toString();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /nowhere 404",
        "GET / 404",
        "GET /status;x=1 404",
        "GET /statu%2573 404",
        "GET //status/.. 404",
        "GET /metrics/ 200",
        "GET /commands/add-messages 405",
        "PUT /commands/run-now 405",
        "TRACE /status 405",
        "CONNECT /status 405",
        "CONNECT relay.test:25 404",
        "OPTIONS /status 405",
        "PATCH /account/main 405",
        "POST /messages 405",
        "POST /account/main 405",
        "DELETE /tenant 405",
        "GET /messages/../status 401",
        "GET //status 401",
        "GET /%2e%2e/status 401",
        "GET /./status 401",
        "DELETE /account/%zz 400",
        "GET /messages/%zz 400",
        "GET /nowhere/%zz 400",
        "DELETE /account/%ff%fe 401"
      })
  void B43_B47_paths_methods_and_origins(String row) throws Exception {
    String[] part = row.split(" ", -1);
    String answer =
        RawHttp.send(
            proxy.proxy().uri(),
            part[0]
                + " "
                + part[1]
                + " HTTP/1.1\r\nHost: x.\r\nConnection: close\r\nX-HTTP-Method-Override: DELETE\r\n"
                + "Origin: https://evil.test\r\nAccess-Control-Request-Method: POST\r\n"
                + "Content-Length: 0\r\n\r\n");

    assertThat(answer).startsWith("HTTP/1.1 " + part[2]);
    assertThat(answer.toLowerCase(java.util.Locale.ROOT))
        .doesNotContain("<html", "x-http-method", "access-control");
    assertThat(answer).contains(part[2].startsWith("2") ? "HTTP/1.1 2" : "\"request_id\":");
    if (part[2].equals("405")) {
      assertThat(answer.toLowerCase(java.util.Locale.ROOT)).contains("\r\nallow: ");
    }
  }
}
