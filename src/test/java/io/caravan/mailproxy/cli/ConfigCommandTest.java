package io.caravan.mailproxy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code config check} and {@code config show}; broken routes are BrokenFilesTest's. */
class ConfigCommandTest {
  @TempDir Path home;
  private Path file;
  private List<String> lines;

  @BeforeEach
  void copySettings() throws Exception {
    file = Files.createDirectories(home.resolve("config")).resolve("application.properties");
    lines = Files.readAllLines(Path.of("config/application.properties"));
    TestProxy.home(home);
  }

  private CommandRun run(String... args) throws Exception {
    Files.write(file, lines);
    return CommandRun.with(Map.of("GMP_HOME", home.toString())).run(args);
  }

  private int set(String key, String value) {
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).startsWith(key + "=")) {
        lines.set(i, key + "=" + value);
        return i + 1;
      }
    }
    throw new AssertionError(key);
  }

  @Test
  void what_is_in_order_is_left_as_it_was() throws Exception {
    TestProxy.route(
        home,
        "mine.camel.yaml",
        """
        - route:
            id: mine
            from:
              uri: file:inbox?initialDelay=0
              steps:
                - to: { id: mine-out, uri: direct:accept-messages }
        """
            .replace("inbox", home.resolve("inbox").toString()));
    Path mail = Files.createDirectories(home.resolve("inbox")).resolve("mail.json");
    Files.writeString(mail, "{}");
    CommandRun run = run("config", "check");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(mail).exists();
    assertThat(home.resolve("data")).doesNotExist();
  }

  @Test
  void all_that_is_wrong_with_the_settings_is_named_with_its_line() throws Exception {
    int batch = set("sync.batch", "0");
    int attempts = set("retry.max-attempts", "many");
    lines.add("retry.atempts=3");
    int misspelt = lines.size();
    lines.add("host=127.0.0.1");
    int twice = lines.size();
    lines.add("nonsense");
    CommandRun run = run("config", "check");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines())
        .hasSize(5)
        .anyMatch(l -> l.contains("line " + batch + ":") && l.contains("GMP_SYNC_BATCH"))
        .anyMatch(l -> l.contains("line " + attempts + ":") && l.contains("\"many\""))
        .anyMatch(l -> l.contains("line " + misspelt + ":") && l.contains("retry.atempts"))
        .anyMatch(l -> l.contains("line " + twice + ":") && l.contains("host"))
        .anyMatch(l -> l.contains("line " + lines.size() + ":") && l.contains("key=value"));
  }

  @Test
  void a_setting_that_a_bean_refuses_and_one_that_is_gone_are_named() throws Exception {
    set("client.sync-url", "nowhere");
    assertThat(run("config", "check").err()).contains("client.sync-url");
    lines.removeIf(line -> line.startsWith("retry.delays="));
    assertThat(run("config", "check").err()).contains("retry.delays");
    copySettings();
    Files.writeString(home.resolve("config/mail-proxy.yaml"), "tenants:\n  - id: t\n    nme: T\n");
    assertThat(run("config", "check").err()).contains("mail-proxy.yaml", "line 2", "nme");
    CommandRun elsewhere = CommandRun.with(Map.of("GMP_HOME", "/no/such")).run("config", "check");
    assertThat(elsewhere.code()).isEqualTo(1);
    assertThat(elsewhere.err()).contains("/no/such", "GMP_HOME");
  }

  @Test
  void the_levels_of_the_log_are_looked_at() throws Exception {
    Files.write(file, lines);
    CommandRun run =
        CommandRun.with(Map.of("GMP_HOME", home.toString(), "LOG_LEVEL", "loud"))
            .run("config", "check");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("LOG_LEVEL", "loud");
  }

  @Test
  void settings_are_shown_without_secrets() throws Exception {
    set("api.token", "canary-a");
    set("client.sync-password", "canary-b");
    set("traces.headers", "a=canary-c");
    set("client.sync-url", "https://user:canary-c@app.test/");
    CommandRun run = run("config", "show");
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .contains("api.token=***", "client.sync-url=https://***@app.test/", "sync.batch=1000")
        .contains("client.sync-token=\n")
        .doesNotContain("canary");
    assertThat(Json.tree(run("config", "show", "--json").out()).path("api.token").asText())
        .isEqualTo("***");
  }
}
