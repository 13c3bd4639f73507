package io.caravan.mailproxy.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The program as its operator meets it: environment, exit codes, log lines, signals. */
class RunContractTest {
  private static final String TOKEN = "run-token";
  private static final Duration START = Duration.ofSeconds(60);

  @TempDir Path home;
  @TempDir Path elsewhere;

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final List<Process> processes = new ArrayList<>();
  private Path out;

  @AfterEach
  void kill() {
    processes.forEach(Process::destroyForcibly);
    processes.forEach(process -> process.onExit().join());
  }

  /** Starts the program from another working directory; environment in turns. */
  private Process run(String argument, String... environment) throws IOException {
    TestProxy.home(home);
    List<String> command =
        ProxyProcess.command(
            ProxyProcess.QUICK_START, System.getProperty("java.class.path"), "start");
    if (!argument.isEmpty()) {
      command.add(argument);
    }
    out = Files.createTempFile(elsewhere, "run", ".log");
    ProcessBuilder builder = new ProcessBuilder(command).directory(elsewhere.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("GMP_"));
    builder.environment().putAll(Map.of("GMP_HOME", home.toString(), "TZ", "UTC"));
    for (int i = 0; i < environment.length; i += 2) {
      builder.environment().put(environment[i], environment[i + 1]);
    }
    Process process = builder.redirectErrorStream(true).redirectOutput(out.toFile()).start();
    processes.add(process);
    return process;
  }

  private String said() throws IOException {
    return Files.readString(out);
  }

  private String exits2(Process process) throws Exception {
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as(said()).isTrue();
    assertThat(process.exitValue()).as(said()).isEqualTo(2);
    return said();
  }

  private HttpResponse<String> get(int port, String path) throws Exception {
    return client.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private void post(int port, String path, Object body) throws Exception {
    HttpResponse<String> answer =
        client.send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .header("X-API-Token", TOKEN)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(Json.text(body)))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
  }

  private void awaitReady(Process process, int port) {
    await()
        .atMost(START)
        .ignoreExceptions()
        .until(() -> !process.isAlive() || get(port, "/health").statusCode() == 200);
    assertThat(process.isAlive()).isTrue();
  }

  @Test
  void without_a_token_it_says_how_to_get_one() throws Exception {
    assertThat(exits2(run("")))
        .contains("no administrator token", "GMP_API_TOKEN", "--insecure-dev")
        .doesNotContain("Exception");
    Path blank = Files.createFile(home.resolve("blank"));
    assertThat(exits2(run("", "GMP_API_TOKEN_FILE", blank.toString())))
        .isEqualTo("GMP_API_TOKEN_FILE: " + blank + " is empty\n");
  }

  @Test
  void where_nothing_can_be_written_the_folders_and_a_setting_are_named() throws Exception {
    Files.createFile(home.resolve("log"));
    Files.createFile(home.resolve("data"));
    String database = elsewhere.resolve("mail.db").toString();
    assertThat(exits2(run("", "GMP_API_TOKEN", TOKEN, "GMP_PORT", "0", "GMP_DB_PATH", database)))
        .contains("cannot write to " + home.resolve("log/metrics"))
        .contains("sandbox.path (GMP_SANDBOX_PATH): the folder cannot be made")
        .doesNotContain("\tat ");
  }

  @Test
  void a_wrong_encryption_key_is_told_without_the_key() throws Exception {
    Process process =
        run(
            "",
            "GMP_API_TOKEN",
            TOKEN,
            "GMP_PORT",
            "0",
            "GMP_HOST",
            "127.0.0.1",
            "LOG_LEVEL",
            "DEBUG",
            "MAIL_PROXY_ENCRYPTION_KEY",
            "main:Y2FuYXJ5LWNhbmFyeQ==");
    assertThat(exits2(process))
        .contains("MAIL_PROXY_ENCRYPTION_KEY: key 1 has 13 bytes, it must have 32")
        .doesNotContain("Y2FuYXJ5LWNhbmFyeQ", "canary-canary");
  }

  @Test
  void settings_come_from_the_environment_and_no_other_variable_leaks_in() throws Exception {
    int port = TestPorts.next();
    Process process =
        run(
            "",
            "GMP_API_TOKEN",
            TOKEN,
            "GMP_PORT",
            "" + port,
            "GMP_HOST",
            "127.0.0.1",
            "GMP_DB_PATH",
            "other/mail.db",
            "PORT",
            "1",
            "HOST",
            "192.0.2.1",
            "API_TOKEN",
            "",
            "CAMEL_SERVER_PORT",
            "2");
    awaitReady(process, port);

    assertThat(home.resolve("other/mail.db")).exists();
    try (var files = Files.list(elsewhere)) {
      assertThat(files.filter(file -> !file.equals(out))).isEmpty();
    }
    assertThat(get(port, "/status").statusCode()).isEqualTo(401);

    Process second =
        run(
            "",
            "GMP_API_TOKEN",
            TOKEN,
            "GMP_PORT",
            "0",
            "GMP_HOST",
            "127.0.0.1",
            "GMP_DB_PATH",
            "other/mail.db");
    assertThat(exits2(second)).contains("other/mail.db", "belongs to another process");

    Process third = run("", "GMP_API_TOKEN", TOKEN, "GMP_PORT", "" + port, "GMP_HOST", "127.0.0.1");
    assertThat(exits2(third)).containsIgnoringCase("in use").contains("" + port);

    process.destroy();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
  }

  @Test
  void a_broken_route_file_is_named_with_line_and_reason() throws Exception {
    Files.createDirectories(home.resolve("routes.d"));
    Files.writeString(
        home.resolve("routes.d/mine.camel.yaml"),
        """
        - route:
            id: mine
            from:
              uri: direct:mine
              stops:
                - log: "x"
        """);

    assertThat(exits2(run("", "GMP_API_TOKEN", TOKEN, "GMP_PORT", "0", "GMP_HOST", "127.0.0.1")))
        .contains("mine.camel.yaml", "line 6", "stops");
  }

  @Test
  void insecure_dev_binds_loopback_and_needs_no_token() throws Exception {
    int port = TestPorts.next();
    Process process = run("--insecure-dev", "GMP_PORT", "" + port, "GMP_HOST", "0.0.0.0");
    awaitReady(process, port);

    assertThat(get(port, "/status").statusCode()).isEqualTo(200);
    String listening = Files.readString(Path.of("/proc/" + process.pid() + "/net/tcp"));
    String hex = String.format(":%04X ", port);
    assertThat(listening.lines().filter(l -> l.contains(hex + "00000000:0000 0A")))
        .allMatch(l -> l.contains("0100007F" + hex));
    assertThat(Files.readString(Path.of("/proc/" + process.pid() + "/net/tcp6")))
        .doesNotContain("00000000000000000000000000000000" + hex);
  }

  @ParameterizedTest
  @ValueSource(strings = {"json", "plain"})
  void log_lines_are_as_documented(String format) throws Exception {
    int port = TestPorts.next();
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      Process process =
          run(
              "",
              "GMP_API_TOKEN",
              TOKEN,
              "GMP_PORT",
              "" + port,
              "GMP_HOST",
              "127.0.0.1",
              "LOG_FORMAT",
              format,
              "LOG_LEVEL",
              "info");
      awaitReady(process, port);
      post(
          port,
          "/account",
          Map.of("id", "main", "tenant_id", "t", "host", "127.0.0.1", "port", relay.port()));
      post(
          port,
          "/commands/add-messages",
          Map.of(
              "messages",
              List.of(
                  TestProxy.message("t", "main", "good"),
                  TestProxy.message("t", "main", "bad", "to", List.of("550@x.test")),
                  TestProxy.message("t", "main", "later", "to", List.of("450@x.test")))));
      await()
          .atMost(START)
          .until(
              () -> said().contains("later") && said().contains("bad") && said().contains("good"));
      await().atMost(START).until(() -> said().contains("metrics interval="));
      process.destroy();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }
    List<String> lines = new ArrayList<>(said().lines().toList());
    List<String> metrics = Files.readAllLines(home.resolve("log/metrics/current"));
    assertThat(metrics).isNotEmpty().allMatch(line -> line.contains("metrics interval="));
    lines.addAll(metrics); // in the log's form
    if (format.equals("plain")) {
      String time = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d,\\d{3} ";
      assertThat(lines).anyMatch(l -> l.matches(time + "INFO Message good sent via main"));
      assertThat(lines).anyMatch(l -> l.matches(time + "ERROR SMTP error for bad: 550 .*"));
      assertThat(lines)
          .anyMatch(l -> l.matches(time + "WARNING Temporary error for later, .*450 .*"));
      assertThat(lines).allMatch(l -> l.matches(time + "(INFO|WARNING|ERROR) .*"));
      return;
    }
    boolean sent = false;
    for (String line : lines) {
      JsonNode entry = Json.tree(line);
      List<String> keys = entry.properties().stream().map(Map.Entry::getKey).toList();
      assertThat(keys).startsWith("timestamp", "level", "message");
      assertThat(entry.path("timestamp").asText())
          .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z");
      assertThat(entry.path("level").asText()).isIn("INFO", "WARNING", "ERROR");
      if (entry.path("message").asText().equals("Message good sent via main")) {
        assertThat(keys.get(3)).isEqualTo("account_id");
        assertThat(entry.path("account_id").asText()).isEqualTo("main");
        sent = true;
      }
    }
    assertThat(sent).isTrue();
  }
}
