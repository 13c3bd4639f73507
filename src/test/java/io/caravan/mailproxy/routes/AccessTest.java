package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.TOKEN;
import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.endtoend.TestProxy;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may do what, and in which order it is checked. */
class AccessTest {
  private static final String NO = "\"detail\":\"Invalid or missing API token\"";

  @TempDir static Path home;
  private static TestProxy proxy;

  @BeforeAll
  static void start() {
    proxy = TestProxy.start(home, "auth.max-failures-per-minute", "1000");
  }

  @AfterAll
  static void stop() {
    proxy.close();
  }

  private static String call(String method, String path, String headers, String body)
      throws Exception {
    return RawHttp.send(
        proxy.proxy().uri(),
        method
            + " "
            + path
            + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
            + headers
            + "Content-Length: "
            + body.length()
            + "\r\n\r\n"
            + body);
  }

  @ParameterizedTest
  @CsvSource({
    "POST, /commands/add-messages, Invalid or missing API token",
    "GET, /messages?tenant_id=x, Invalid or missing API token",
    "POST, /tenant, Admin token required"
  })
  void a_token_is_needed(String method, String path, String without) throws Exception {
    assertThat(call(method, path, "", "{}"))
        .startsWith("HTTP/1.1 401")
        .contains("WWW-Authenticate: Bearer", "{\"detail\":\"" + without + "\",");
    for (String header :
        new String[] {
          "X-API-Token: wrong",
          "X-API-Token:",
          "X-API-Token: \u00e9\u00e8",
          "X-API-Token: " + "x".repeat(4_000),
          "X-API-Token: wrong\r\nAuthorization: Bearer " + TOKEN,
          "X-API-Token: " + TOKEN + "\r\nAuthorization: Bearer wrong",
          "X-API-Token: " + TOKEN + "\r\nX-API-Token: wrong",
          "Authorization: Bearer wrong",
          "Authorization: Bearer \u00ff"
        }) {
      assertThat(call(method, path, header + "\r\n", "{}"))
          .as(header)
          .startsWith("HTTP/1.1 401")
          .contains(NO);
    }
    for (String header :
        new String[] {"Authorization: Basic " + TOKEN, "Cookie: X-API-Token=" + TOKEN}) {
      assertThat(call(method, path, header + "\r\n", "{}"))
          .startsWith("HTTP/1.1 401")
          .contains(without);
    }
    String query = path + (path.contains("?") ? "&" : "?") + "X-API-Token=" + TOKEN;
    assertThat(call(method, query, "", "{}")).startsWith("HTTP/1.1 401").contains(without);
  }

  @Test
  void without_a_token_no_foreign_page_and_no_foreign_host_calls(@TempDir Path folder)
      throws Exception {
    try (TestProxy open = TestProxy.start(folder, "api.token", "")) {
      String host = "127.0.0.1:" + open.proxy().uri().getPort();
      String local = "localhost:1";
      for (String header :
          new String[] {
            "Host: " + host,
            "Host: " + local,
            "Host: [::1]",
            "Host: " + host + "\r\nOrigin: http://" + host
          }) {
        assertThat(status(open, header)).as(header).startsWith("HTTP/1.1 200");
      }
      for (String header :
          new String[] {
            "Host: evil.example",
            "Host: 127.0.0.1.evil.example",
            "Host: " + host + "\r\nOrigin: https://evil.example",
            "Host: " + host + "\r\nOrigin: null"
          }) {
        assertThat(status(open, header)).as(header).startsWith("HTTP/1.1 403");
      }
    }
  }

  private static String status(TestProxy open, String headers) throws Exception {
    return RawHttp.send(
        open.proxy().uri(), "GET /status HTTP/1.1\r\n" + headers + "\r\nConnection: close\r\n\r\n");
  }

  @ParameterizedTest
  @CsvSource({
    "'{', '', 422",
    "'{', X-API-Token: wrong, 422",
    "'{}', '', 401",
    "'{}', X-API-Token: wrong, 401",
    "'{}', X-API-Token: " + TOKEN + ", 422",
    "'{\"messages\":[]}', X-API-Token: " + TOKEN + ", 200",
    "'{\"messages\":[]}', Authorization: Bearer " + TOKEN + ", 200",
    "'{\"messages\":[]}', authorization: bearer " + TOKEN + ", 200"
  })
  void json_then_token_then_values(String body, String header, int status) throws Exception {
    String headers = header.isEmpty() ? "" : header + "\r\n";

    assertThat(call("POST", "/commands/add-messages", headers, body))
        .startsWith("HTTP/1.1 " + status);
  }

  @ParameterizedTest
  @CsvSource({"/health", "/health/ready", "/metrics"})
  void these_are_open(String path) throws Exception {
    assertThat(call("GET", path, "", "")).startsWith("HTTP/1.1 200");
    assertThat(call("GET", path, "X-API-Token: wrong\r\n", "")).startsWith("HTTP/1.1 200");
  }

  @ParameterizedTest
  @CsvSource({"''", "'{'", "'{}'", "'{\"tenant_id\":\"x\"}'", "not json", "'[1]'"})
  void run_now_takes_any_body(String body) throws Exception {
    for (String type : new String[] {"application/json", "text/plain"}) {
      String answer =
          call(
              "POST",
              "/commands/run-now?tenant_id=x",
              "X-API-Token: " + TOKEN + "\r\nX-Type: " + type + "\r\n",
              body);
      assertThat(answer).startsWith("HTTP/1.1 200").endsWith("{\"ok\":true}");
    }
  }
}
