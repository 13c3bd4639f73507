package io.caravan.mailproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds settings, routes and docs/settings.md against each other. */
class ConfigTest {
  private static final Path FILE = Path.of("config/application.properties");
  private static final Path DOCS = Path.of("docs/settings.md");

  /** Variables whose names are older than the rule. */
  private static final Map<String, String> NAMED_OTHERWISE =
      Map.of(
          "log.level",
          "LOG_LEVEL",
          "log.format",
          "LOG_FORMAT",
          "encryption.key",
          "MAIL_PROXY_ENCRYPTION_KEY",
          "encryption.key-file",
          "MAIL_PROXY_ENCRYPTION_KEY_FILE");

  /** Read from the environment itself, by {@code cli.Logs} and {@code secret.KeySettings}. */
  private static final Set<String> READ_APART = Set.of("log.level", "log.format", "encryption.key");

  /** Set by the program itself. */
  private static final Set<String> GIVEN = Set.of("db.shared", "home");

  private static final Pattern SECTION = Pattern.compile("# -- (.+)");
  private static final Pattern COMMENT = Pattern.compile("# (.+)");
  private static final Pattern SETTING = Pattern.compile("([a-z][a-z0-9._-]*)=(.*)");
  private static final Pattern CAMEL = Pattern.compile("camel\\..*=.*");
  private static final Pattern VALUE = Pattern.compile("\\{\\{env:([A-Z0-9_]+):(.*)}}");
  private static final Pattern USE = Pattern.compile("\\{\\{\\??([a-z][a-z0-9._-]*)(:[^}]*)?}}");

  private record Setting(String section, String key, String value, String comment) {
    String variable() {
      return NAMED_OTHERWISE.getOrDefault(
          key, "GMP_" + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_'));
    }

    /** The default in Markdown, after the standard variable that is looked at before it. */
    String initial() {
      Matcher value = VALUE.matcher(value());
      String initial = value.matches() ? value.group(2) : "";
      Matcher standard = VALUE.matcher(initial);
      return standard.matches()
          ? "`$" + standard.group(1) + "` " + code(standard.group(2))
          : code(initial);
    }

    private static String code(String text) {
      return text.isEmpty() ? "" : "`" + text + "`";
    }
  }

  @Test
  void every_placeholder_of_the_routes_is_a_setting() throws Exception {
    Set<String> unknown = used();
    settings().forEach(setting -> unknown.remove(setting.key()));
    unknown.removeAll(GIVEN);
    assertThat(unknown).as("placeholders without a line in %s", FILE).isEmpty();
  }

  @Test
  void every_setting_is_used() throws Exception {
    Set<String> used = used();
    assertThat(settings().stream().map(Setting::key))
        .as("settings that nothing reads")
        .allMatch(key -> used.contains(key) || READ_APART.contains(key));
  }

  @Test
  void every_setting_has_a_comment_and_the_variable_of_its_name() throws Exception {
    for (Setting setting : settings()) {
      assertThat(setting.comment()).as("comment above %s", setting.key()).endsWith(".");
      Matcher value = VALUE.matcher(setting.value());
      assertThat(value.matches()).as("value of %s", setting.key()).isTrue();
      assertThat(value.group(1)).as("variable of %s", setting.key()).isEqualTo(setting.variable());
    }
  }

  @Test
  void no_setting_stands_twice() throws Exception {
    assertThat(settings().stream().map(Setting::key)).doesNotHaveDuplicates();
  }

  @Test
  void the_settings_page_says_what_the_file_says() throws Exception {
    Path made = Files.createDirectories(Path.of("target")).resolve("settings.md");
    Files.writeString(made, page());
    assertThat(Files.exists(DOCS) ? Files.readString(DOCS) : "")
        .as("%s differs from the file; copy %s over it", DOCS, made)
        .isEqualTo(page());
  }

  private static String page() throws IOException {
    StringBuilder page =
        new StringBuilder(
            """
            # Settings

            Made from `config/application.properties`; a test holds the two together. A setting is changed by its
            environment variable, or by its default in that file. Blank means none.
            """);
    String section = "";
    for (Setting setting : settings()) {
      if (!setting.section().equals(section)) {
        section = setting.section();
        page.append("\n## ").append(section.substring(0, 1).toUpperCase(Locale.ROOT));
        page.append(section.substring(1));
        page.append("\n\n| setting | variable | default | what it is |\n|---|---|---|---|\n");
      }
      page.append(
          "| `%s` | `%s` | %s | %s |%n"
              .formatted(
                  setting.key(), setting.variable(), setting.initial().strip(), setting.comment()));
    }
    return page.append(
            """

            ## Beside the file

            | variable | what it is |
            |---|---|
            | `GMP_HOME` | Folder with `config/`, `routes/` and `routes.d/`; where it is not set, the one this product stands in. |
            | `GMP_LOG_LEVEL` | Wins over `LOG_LEVEL`. |
            | `GMP_URL`, `GMP_TENANT` | For commands that talk to a running proxy: where it is, and the tenant; see [command-line.md](command-line.md). |
            | `GMP_ACCOUNT_PASSWORD`, `GMP_CLIENT_SECRET` | Secrets that `accounts add` and `tenants add` send. |
            | `NO_COLOR` | Keeps colours away. |
            | `JAVA_HOME`, `JAVA_OPTS` | The Java that `bin/mail-proxy` runs, and options in place of its own. |
            """)
        .toString();
  }

  private static List<Setting> settings() throws IOException {
    List<Setting> settings = new ArrayList<>();
    String section = "";
    List<String> comments = new ArrayList<>();
    for (String line : Files.readAllLines(FILE)) {
      Matcher head = SECTION.matcher(line);
      Matcher said = COMMENT.matcher(line);
      Matcher setting = SETTING.matcher(line);
      if (head.matches()) {
        section = head.group(1);
      } else if (said.matches()) {
        comments.add(said.group(1));
        continue;
      } else if (!CAMEL.matcher(line).matches() && setting.matches()) {
        assertThat(comments).as("one line of comment before: %s", line).hasSize(1);
        settings.add(new Setting(section, setting.group(1), setting.group(2), comments.get(0)));
      }
      comments.clear();
    }
    return settings;
  }

  /** Keys that routes, Camel's own settings or a class ask for. */
  private static Set<String> used() throws IOException {
    Set<String> used = new TreeSet<>();
    try (Stream<Path> routes = Files.list(Path.of("routes"));
        Stream<Path> classes = Files.walk(Path.of("src/main/java"))) {
      for (Path file : routes.collect(Collectors.toList())) {
        collect(USE, Files.readString(file), used);
      }
      for (Path file : classes.filter(Files::isRegularFile).collect(Collectors.toList())) {
        collect(Pattern.compile("setting\\(\"([^\"]+)\"\\)"), Files.readString(file), used);
      }
    }
    for (String line : Files.readAllLines(FILE)) {
      if (CAMEL.matcher(line).matches()) {
        collect(USE, line, used);
      }
    }
    return used;
  }

  private static void collect(Pattern pattern, String text, Set<String> found) {
    Matcher use = pattern.matcher(text);
    while (use.find()) {
      found.add(use.group(1));
    }
  }
}
