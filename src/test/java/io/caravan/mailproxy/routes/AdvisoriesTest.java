package io.caravan.mailproxy.routes;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static io.caravan.mailproxy.endtoend.TestProxy.TOKEN;
import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.sun.net.httpserver.HttpServer;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Access;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is known of the libraries' weak places does not work here: a test for each advisory, which
 * fails without what keeps it off. The list stands in docs/security.md.
 */
class AdvisoriesTest {
  private static final String CANARY = "stray-canary";

  /** Components that call, run or ask whatever a header says. */
  private static final List<String> NOT_HERE =
      List.of("http", "https", "vertx-http", "netty-http", "sql", "exec", "docker", "ssh", "cxf");

  /** Headers that a route sets are the mail's, and nothing else. */
  private static final String HOOK =
      """
      - route:
          id: on-before-send
          routeConfigurationId: inner
          from:
            uri: direct:on-before-send
            steps:
              - setHeader: { name: mail.smtp.host, expression: { constant: { expression: 127.0.0.1 } } }
              - setHeader: { name: mail.smtp.port, expression: { constant: { expression: "%d" } } }
      """;

  @TempDir static Path home;
  private static TestProxy proxy;
  private static ScriptedSmtpServer relay;
  private static ScriptedSmtpServer foreignRelay;
  private static HttpServer foreignSite;
  private static final List<String> FOREIGN_CALLS = new CopyOnWriteArrayList<>();

  @BeforeAll
  static void start() throws Exception {
    relay = new ScriptedSmtpServer();
    foreignRelay = new ScriptedSmtpServer();
    foreignSite = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    foreignSite.createContext(
        "/",
        call -> {
          FOREIGN_CALLS.add(call.getRequestURI().toString());
          call.sendResponseHeaders(200, -1);
          call.close();
        });
    foreignSite.start();
    TestProxy.route(home, "hooks.camel.yaml", HOOK.formatted(foreignRelay.port()));
    proxy = TestProxy.start(home, "auth.max-failures-per-minute", "10000");
    proxy.relayAccount("acme", "main", relay.port());
    proxy.sandboxAccount("idle", "main");
  }

  @AfterAll
  static void stop() throws Exception {
    proxy.close();
    foreignSite.stop(0);
    foreignRelay.close();
    relay.close();
  }

  /** What would turn a step elsewhere if it came as far as that. */
  private static Map<String, String> stray() {
    String site = "http://127.0.0.1:" + foreignSite.getAddress().getPort() + "/" + CANARY;
    Map<String, String> stray = new TreeMap<>();
    for (String camel : new String[] {"Camel", "CAmel", "camel", "org.apache.camel."}) {
      stray.put(camel + "HttpUri", site);
      stray.put(camel + "HttpPath", "/" + CANARY);
      stray.put(camel + "HttpResponseCode", "299");
      stray.put(camel + "BeanMethodName", "read");
      stray.put(camel + "FileName", CANARY);
      stray.put(camel + "SqlQuery", "delete from message");
      stray.put(camel + "JdbcParameters", CANARY);
      stray.put(camel + "ToEndpoint", site);
    }
    for (String protocol : new String[] {"mail.smtp.", "mail.smtps.", "MAIL.SMTP."}) {
      stray.put(protocol + "host", "127.0.0.1");
      stray.put(protocol + "port", "" + foreignRelay.port());
      stray.put(protocol + "socks.host", "127.0.0.1");
      stray.put(protocol + "socks.port", "" + foreignRelay.port());
    }
    stray.put("Subject", CANARY);
    stray.put("Bcc", CANARY + "@evil.test");
    stray.put("X-Stray", CANARY);
    return stray;
  }

  /** One request by hand, with these as headers and as parameters as well. */
  private static String call(
      String method,
      String path,
      String tenant,
      String token,
      String body,
      Map<String, String> more)
      throws IOException {
    StringBuilder query = new StringBuilder("?tenant_id=" + tenant);
    StringBuilder headers = new StringBuilder();
    more.forEach(
        (name, value) -> {
          headers.append(name).append(": ").append(value).append("\r\n");
          if (!path.equals("/commands/dump-messages")) { // it takes none that it does not know
            query.append('&').append(name).append('=');
            query.append(URLEncoder.encode(value, StandardCharsets.UTF_8));
          }
        });
    return RawHttp.send(
        proxy.proxy().uri(),
        method
            + " "
            + path
            + query
            + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            + headers
            + (token.isEmpty() ? "" : "X-API-Token: " + token + "\r\n")
            + "Content-Type: application/json\r\nContent-Length: "
            + body.getBytes(StandardCharsets.ISO_8859_1).length
            + "\r\n\r\n"
            + body);
  }

  /** Status line and names of headers. */
  private static List<String> head(String answer) {
    return answer
        .substring(0, answer.indexOf("\r\n\r\n"))
        .lines()
        .map(line -> line.startsWith("HTTP/") ? line : line.substring(0, line.indexOf(':')))
        .toList();
  }

  private static void awaitSent(String id) {
    await().until(() -> proxy.state("acme", id).equals("sent"));
  }

  private static List<ScriptedSmtpServer.Mail> mails(String subject) {
    synchronized (relay.mails) {
      return relay.mails.stream().filter(mail -> mail.raw().contains(subject)).toList();
    }
  }

  private static void nobodyElseWasAsked() {
    assertThat(foreignRelay.connections.get()).isZero();
    assertThat(FOREIGN_CALLS).isEmpty();
  }

  /** CVE-2025-27636, CVE-2025-29891. */
  @Test
  void headers_and_parameters_of_a_request_reach_no_step_of_any_operation() throws Exception {
    for (Access.Operation operation : Access.table().values()) {
      String path = operation.path().replace("{id}", "none").replace("{file}", "start.js");
      for (String token : List.of(TOKEN, "")) {
        String plain = call(operation.method(), path, "idle", token, "{}", Map.of());
        String strayed = call(operation.method(), path, "idle", token, "{}", stray());
        assertThat(head(strayed)).as(operation.method() + " " + path).isEqualTo(head(plain));
        if (!path.startsWith("/command-log")) { // which tells what was asked
          assertThat(strayed).as(operation.method() + " " + path).doesNotContain(CANARY);
        }
      }
    }
    nobodyElseWasAsked();
  }

  /** CVE-2026-46584: from a request to the session that sends its mail. */
  @Test
  void properties_of_mail_sessions_in_a_request_change_nothing_of_its_mail() throws Exception {
    Map<String, Object> item = message("acme", "main", "by-request");
    String answer =
        call(
            "POST",
            "/commands/add-messages",
            "acme",
            TOKEN,
            Json.text(Map.of("messages", List.of(item))),
            stray());
    assertThat(answer).contains("\"queued\":1");
    awaitSent("by-request");

    assertThat(mails("Subject of by-request"))
        .singleElement()
        .satisfies(
            mail -> {
              assertThat(mail.to()).containsExactly("reader@example.test");
              assertThat(mail.raw()).doesNotContainIgnoringCase(CANARY, "socks", "camel");
            });
    nobodyElseWasAsked();
  }

  /** CVE-2026-46584: from a mail's own headers to the session that sends it. */
  @Test
  void properties_of_mail_sessions_among_a_mails_headers_stay_words_in_it() throws Exception {
    for (boolean atOnce : new boolean[] {true, false}) {
      String id = "by-field-" + atOnce;
      Map<String, String> headers = stray();
      headers.keySet().removeAll(List.of("Subject", "Bcc"));
      String to = atOnce ? "reader@example.test" : "grey1+reader@example.test";
      proxy.submit(message("acme", "main", id, "headers", headers, "to", List.of(to)));
      if (!atOnce) {
        await().until(() -> proxy.state("acme", id).equals("deferred"));
        assertThat(proxy.post("/messages/" + id + "/retry?tenant_id=acme", "{}").statusCode())
            .isEqualTo(200);
      }
      awaitSent(id);
      assertThat(mails("Subject of " + id))
          .singleElement()
          .satisfies(mail -> assertThat(mail.to()).containsExactly(to));
    }
    nobodyElseWasAsked();
  }

  /** CVE-2025-7962: bytes of U+760D and U+760A end in those of CR and LF. */
  @Test
  void wide_characters_that_end_like_line_ends_begin_no_command() throws Exception {
    String line = "\u760D\u760ARCPT TO:<spy@evil.test>\u760D\u760A";
    proxy.submit(
        message(
            "acme",
            "main",
            "wide",
            "from",
            "\"" + line + "\" <sender@example.test>",
            "subject",
            "Subject of wide" + line,
            "headers",
            Map.of("X-Wide", line)));
    awaitSent("wide");
    assertThat(mails("wide")).hasSize(1);

    for (String field : List.of("from", "return_path", "to")) {
      String address = "a\u760D\u760ADATA@example.test";
      Map<String, Object> item = message("acme", "main", "wide-" + field);
      item.put(field, field.equals("to") ? List.of(address) : address);
      if (json(proxy.post("/commands/add-messages", Map.of("messages", List.of(item))))
              .path("queued")
              .intValue()
          == 1) {
        await().until(() -> !proxy.state("acme", "wide-" + field).equals("pending"));
      }
    }
    assertThat(List.copyOf(relay.lines))
        .allMatch(said -> said.chars().allMatch(c -> c < 0x7f))
        .noneMatch(said -> said.contains("spy@"))
        .noneMatch(said -> said.startsWith("DATA@"));
    assertThat(relay.mails).noneMatch(mail -> mail.raw().contains("\r\nRCPT TO"));
  }

  /** CVE-2026-40022: the server's own authentication lets paths through. */
  @Test
  void no_operation_that_asks_for_a_token_answers_without_one() throws Exception {
    for (Access.Operation operation : Access.table().values()) {
      if (operation.who() == Access.Who.ANYBODY) {
        continue;
      }
      String path = operation.path().replace("{id}", "main");
      String first = "%" + Integer.toHexString(path.charAt(1)) + path.substring(2);
      for (String way :
          List.of(path, path + "/", "/" + path, "/." + path, "/x/.." + path, "/" + first)) {
        assertThat(call(operation.method(), way, "idle", "", "{}", Map.of()))
            .as(operation.method() + " " + way)
            .matches("(?s)HTTP/1.1 (401|404|405) .*");
      }
      assertThat(call(operation.method(), path, "idle", "", "{}", Map.of()))
          .startsWith("HTTP/1.1 401 ");
    }
    assertThat(Files.readString(Path.of("config/application.properties")))
        .doesNotContain("authentication");
  }

  /** CVE-2026-78164: an HTTP producer takes its address from headers and resolves what is in it. */
  @Test
  void what_a_tenant_gives_as_its_address_is_no_expression_and_nothing_else_calls_out()
      throws Exception {
    for (String component : NOT_HERE) {
      assertThat(ClassLoader.getSystemResource(service("component/" + component)))
          .as("component " + component)
          .isNull();
    }
    for (String path : List.of("/{{api.token}}", "/${body}", "/?t={{env:GMP_API_TOKEN}}")) {
      assertThat(proxy.post("/tenant", Map.of("id", "odd", "client_sync_path", path)).statusCode())
          .as(path)
          .isEqualTo(422);
      assertThat(
              proxy
                  .post("/tenant", Map.of("id", "odd", "client_base_url", "http://x.test" + path))
                  .statusCode())
          .as(path)
          .isEqualTo(422);
    }
  }

  private static String service(String name) {
    return "META-INF/services/org/apache/camel/" + name;
  }

  /** The same, and CVE-2026-33454: headers of a received mail become Camel's. */
  @Test
  void no_route_calls_out_but_over_smtp_and_none_reads_a_mailbox() {
    List<String> from = new ArrayList<>();
    List<String> to = new ArrayList<>();
    for (JsonNode file : routes()) {
      file.findValues("from").forEach(part -> from.add(scheme(part)));
      for (String step : List.of("to", "toD", "wireTap", "enrich", "pollEnrich", "poll")) {
        file.findValues(step).forEach(part -> to.add(scheme(part)));
      }
    }
    assertThat(from)
        .contains("direct")
        .isSubsetOf("platform-http", "direct", "seda", "timer", "file");
    assertThat(to)
        .contains("smtp")
        .isSubsetOf("smtp", "direct", "seda", "jdbc", "micrometer", "log", "file");
  }

  /** CVE-2026-59230, CVE-2026-85314: a data format that reads and writes mail. */
  @Test
  void no_route_and_no_class_of_ours_takes_mail_apart_with_camel() {
    for (JsonNode file : routes()) {
      for (String step : List.of("marshal", "unmarshal", "dataFormats")) {
        assertThat(file.findValues(step)).as(step).isEmpty();
      }
    }
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.apache.camel.dataformat..")
        .check(
            new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.caravan.mailproxy"));
  }

  private static String scheme(JsonNode part) {
    String uri = part.isTextual() ? part.asText() : part.path("uri").asText();
    return uri.contains(":") ? uri.substring(0, uri.indexOf(':')) : uri;
  }

  /** Shipped files and examples. */
  private static List<JsonNode> routes() {
    YAMLMapper yaml = new YAMLMapper();
    List<JsonNode> routes = new ArrayList<>();
    for (String folder : List.of("routes", "routes.d/examples")) {
      try (Stream<Path> files = Files.walk(Path.of(folder))) {
        for (Path file :
            files.filter(f -> f.toString().endsWith(".yaml")).collect(Collectors.toList())) {
          routes.add(yaml.readTree(file.toFile()));
        }
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
    return routes;
  }
}
