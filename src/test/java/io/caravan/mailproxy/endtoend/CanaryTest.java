package io.caravan.mailproxy.endtoend;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Known secrets are put in everywhere, and looked for wherever they must not come out (B83). */
class CanaryTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final String USER = "control-user-5d1e";

  private static final byte[] KEY =
      "canary-key-0f3b-canary-key-0f3b!".getBytes(StandardCharsets.UTF_8);

  @TempDir Path home;
  private final Map<String, String> searched = new LinkedHashMap<>();
  private final List<String> tokens = new ArrayList<>();

  /** All that must not be found, in the forms in which it would be. */
  private static List<String> canaries() {
    List<String> canaries =
        new ArrayList<>(
            List.of(
                "canary-password-7f3a",
                "canary-refused-19c4",
                "canary-imap-6b02",
                "canary-bearer-e871",
                "canary-basic-2d90",
                "canary-wrong-token-c35f",
                "canary-422-a6d8",
                "canary-admin-48e7",
                "canary-trace-77aa",
                "canary-key-0f3b"));
    Base64.Encoder base64 = Base64.getEncoder();
    canaries.add(base64.encodeToString(KEY));
    canaries.add(login("canary-password-7f3a"));
    canaries.add(login("canary-refused-19c4"));
    canaries.add(base64.encodeToString("app:canary-basic-2d90".getBytes(StandardCharsets.UTF_8)));
    return canaries;
  }

  /** As AUTH PLAIN sends it (RFC 4616). */
  private static String login(String password) {
    return Base64.getEncoder()
        .encodeToString((USER + "\0" + USER + "\0" + password).getBytes(StandardCharsets.UTF_8));
  }

  private List<String> places(String text) {
    return searched.entrySet().stream()
        .filter(each -> each.getValue().contains(text))
        .map(Map.Entry::getKey)
        .toList();
  }

  private static Map<String, Object> account(String id, int port, String password) {
    return Map.of(
        "id",
        id,
        "tenant_id",
        "acme",
        "host",
        "127.0.0.1",
        "port",
        port,
        "use_tls",
        false,
        "user",
        USER,
        "password",
        password,
        "imap_host",
        "imap.test",
        "imap_password",
        "canary-imap-6b02");
  }

  private static Map<String, Object> tenant(String id, int port, Map<String, String> auth) {
    return Map.of("id", id, "client_base_url", "http://127.0.0.1:" + port, "client_auth", auth);
  }

  @Test
  void no_secret_comes_out_anywhere() throws Exception {
    AtomicInteger refused = new AtomicInteger();
    HttpServer application =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    application.createContext(
        "/",
        call -> {
          refused.incrementAndGet();
          call.sendResponseHeaders(401, -1);
          call.close();
        });
    AtomicInteger traced = new AtomicInteger();
    application.createContext(
        "/v1/traces",
        call -> {
          traced.incrementAndGet();
          call.sendResponseHeaders(403, -1);
          call.close();
        });
    application.start();
    int port = application.getAddress().getPort();
    try (ScriptedSmtpServer works = new ScriptedSmtpServer();
        ScriptedSmtpServer refuses = new ScriptedSmtpServer();
        ProxyProcess proxy =
            ProxyProcess.start(
                home,
                "GMP_API_TOKEN",
                "canary-admin-48e7",
                "MAIL_PROXY_ENCRYPTION_KEY",
                Base64.getEncoder().encodeToString(KEY),
                "GMP_DRAIN_SECONDS",
                "2",
                "GMP_CIRCUIT_FAILURES",
                "1",
                "GMP_TRACES_ENABLED",
                "true",
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "http://127.0.0.1:" + port + "/",
                "GMP_TRACES_HEADERS",
                "authorization=canary-trace-77aa",
                "GMP_SYNC_RETRY_DELAYS",
                "1",
                "LOG_LEVEL",
                "DEBUG");
        KeepAlive admin = new KeepAlive(proxy.port(), "canary-admin-48e7");
        KeepAlive stranger = new KeepAlive(proxy.port(), "canary-wrong-token-c35f")) {
      works.offers = List.of("AUTH PLAIN");
      refuses.offers = works.offers;
      refuses.script = step -> step.is("AUTH") ? "535 5.7.8 wrong" : null;
      expect(
          200,
          admin.post(
              "/account", Json.text(account("works", works.port(), "canary-password-7f3a"))));
      expect(
          200,
          admin.post(
              "/account", Json.text(account("refuses", refuses.port(), "canary-refused-19c4"))));
      addTenant(
          admin.post(
              "/tenant",
              Json.text(
                  tenant(
                      "acme", port, Map.of("method", "bearer", "token", "canary-bearer-e871")))));
      addTenant(
          admin.post(
              "/tenant",
              Json.text(
                  tenant(
                      "other",
                      port,
                      Map.of("method", "basic", "user", "app", "password", "canary-basic-2d90")))));

      expect(422, admin.post("/account", Json.text(account("bad", 99_999, "canary-422-a6d8"))));
      expect(422, admin.post("/account", "{\"id\":\"bad\",\"password\":[\"canary-422-a6d8\"]}"));
      expect(422, admin.post("/account", "{\"id\":\"bad\",\"password\":\"canary-422-a6d8"));
      expect(422, admin.post("/account", "{\"canary-422-a6d8\":1,\"canary-422-a6d8\":2}"));
      expect(422, admin.post("/account", "{\"accounts\":[{\"password\":\"canary-422-a6d8\"}]}"));
      expect(422, admin.post("/tenant", "{\"id\":\"x\",\"client_auth\":\"canary-422-a6d8\"}"));
      expect(
          422,
          admin.post(
              "/tenant",
              "{\"id\":7,\"client_auth\":{\"method\":\"bearer\",\"secret\":\"canary-422-a6d8\"}}"));
      expect(401, stranger.get("/status"));
      expect(401, stranger.post("/keys/rotate", ""));

      expect(
          200,
          admin.post(
              "/commands/add-messages",
              Json.text(
                  Map.of(
                      "messages",
                      List.of(
                          message("acme", "works", "good"), message("acme", "refuses", "bad"))))));
      expect(200, admin.post("/commands/run-now", ""));
      await().atMost(LONG).until(() -> refused.get() >= 2 && log(proxy).contains("auth_failed"));
      await().atMost(LONG).until(() -> log(proxy).contains("HTTP status 401"));
      await().atMost(LONG).until(() -> works.mails.size() == 1);
      await().atMost(LONG).until(() -> traced.get() > 0 && log(proxy).contains("answers 403"));
      await().atMost(LONG).until(() -> Files.exists(home.resolve("log/metrics/current")));
      assertThat(works.lines)
          .as("the password was used")
          .anyMatch(line -> line.contains(login("canary-password-7f3a")));
      for (String path :
          List.of(
              "/accounts?tenant_id=acme",
              "/messages?tenant_id=acme&include_history=true",
              "/messages/bad?tenant_id=acme",
              "/tenants",
              "/tenant/acme",
              "/tenants/sync-status",
              "/command-log",
              "/command-log/export",
              "/status",
              "/health",
              "/health/ready",
              "/metrics")) {
        expect(200, admin.get(path));
        searched.put(path, admin.get(path).body());
      }
      expect(200, admin.post("/keys/rotate", ""));
      files(home);
      if (TestStore.isShared(home)) {
        searched.put("data/mail.db", TestStore.text(home));
      }
      assertThat(proxy.stop()).isZero();
      searched.put("log at the end", log(proxy));
    } finally {
      application.stop(0);
    }

    assertThat(searched).containsKeys("proxy.log", "log/metrics/current", "data/mail.db");
    assertThat(searched.containsKey("data/mail.db-wal")).isNotEqualTo(TestStore.isShared(home));
    assertThat(searched.get("proxy.log")).as("it says much").contains(" DEBUG ");
    assertThat(places(USER))
        .as("what is there is found")
        .contains("/accounts?tenant_id=acme")
        .containsAnyOf("data/mail.db", "data/mail.db-wal");
    assertThat(tokens).hasSize(2).allMatch(token -> token.length() >= 43);
    tokens.addAll(canaries());
    for (String canary : tokens) {
      assertThat(places(canary)).as(canary).isEmpty();
    }
  }

  /** Its answer is the one place where the tenant's token is told. */
  private void addTenant(KeepAlive.Answer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    tokens.add(Json.tree(answer.body()).path("api_key").textValue());
  }

  private void expect(int status, KeepAlive.Answer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    searched.merge("answers " + status, answer.body(), String::concat);
  }

  private static String log(ProxyProcess proxy) throws IOException {
    return Files.readString(proxy.log());
  }

  /** All that it wrote, without what was there before. */
  private void files(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        searched.put(
            folder.relativize(file).toString(),
            Files.readString(file, StandardCharsets.ISO_8859_1));
      }
    }
  }
}
