package io.caravan.mailproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the pages say of settings is so, and their links lead somewhere. docs/settings.md, which
 * {@link ConfigTest} holds to config/application.properties, is what the others are held to.
 */
class DocsTest {
  private static final Path SETTINGS = Path.of("docs/settings.md");

  private static final Pattern SETTING =
      Pattern.compile("^\\| `([^`]+)` \\| `([A-Z_]+)` \\| ([^|]*)\\|", Pattern.MULTILINE);

  private static final Pattern VARIABLE = Pattern.compile("\\bGMP_[A-Z0-9_]+\\*?");
  private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");
  private static final Pattern VALUE_OF = Pattern.compile("`([A-Za-z_.-]+)` \\((\\d[\\d,.]*)\\)");
  private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("^#+ (.+)$", Pattern.MULTILINE);
  private static final Pattern FENCED = Pattern.compile("(?ms)^```.*?^```");

  /** Default by name; a setting and its variable are two names of one. */
  private static final Map<String, String> DEFAULTS = new TreeMap<>();

  /** The setting of a name. */
  private static final Map<String, String> KEYS = new TreeMap<>();

  private static final Set<String> VARIABLES = new TreeSet<>();

  static {
    String page = read(SETTINGS);
    for (MatchResult row : matches(SETTING, page)) {
      for (int name = 1; name <= 2; name++) {
        DEFAULTS.put(row.group(name), initial(row.group(3).strip()));
        KEYS.put(row.group(name), row.group(1));
      }
    }
    matches(VARIABLE, page).forEach(found -> VARIABLES.add(found.group()));
  }

  /** A default as pages write it; that of another variable comes first. */
  private static String initial(String cell) {
    return cell.replaceFirst("^`\\$(\\w+)` (?=`)", "$1, else ")
        .replaceFirst("^`\\$", "`")
        .replace("`", "");
  }

  /** Pages for operators and users. */
  static List<Path> pages() {
    return Stream.concat(Stream.of(Path.of("README.md")), markdown(Path.of("docs")))
        .filter(page -> !page.equals(SETTINGS))
        .toList();
  }

  static List<Path> allPages() {
    return Stream.of(
            Stream.of("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md").map(Path::of),
            pages().stream(),
            Stream.of(SETTINGS, Path.of("routes.d/README.md"), Path.of("bench/README.md")))
        .flatMap(part -> part)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("pages")
  void every_variable_of_the_page_is_one(Path page) {
    for (MatchResult found : matches(VARIABLE, read(page))) {
      String name = found.group();
      assertThat(VARIABLES)
          .as(page + " names " + name)
          .anyMatch(
              known ->
                  name.endsWith("*")
                      ? known.startsWith(name.substring(0, name.length() - 1))
                      : known.equals(name));
    }
  }

  @ParameterizedTest
  @MethodSource("pages")
  void every_default_that_the_page_tells_is_the_files(Path page) {
    String text = read(page);
    for (MatchResult found : matches(VALUE_OF, text)) {
      String initial = DEFAULTS.get(found.group(1));
      if (initial != null) {
        assertThat(found.group(2)).as(page + ": " + found.group()).isEqualTo(initial);
      }
    }
    int column = -1;
    for (String line : text.split("\n", -1)) {
      List<String> cells = Arrays.stream(line.split("\\|", -1)).map(String::strip).toList();
      if (!line.startsWith("|")) {
        column = -1;
      } else if (cells.contains("default")) {
        column = cells.indexOf("default");
      } else if (column > 0 && !line.startsWith("|---")) {
        assertThat(defaults(cells.subList(1, column)))
            .as(page + ": " + line)
            .isNotEmpty()
            .contains(told(cells.get(column)));
      }
    }
  }

  /** How the defaults of what these cells name may be written. */
  private static List<String> defaults(List<String> cells) {
    Set<String> keys = new LinkedHashSet<>();
    for (MatchResult name : matches(QUOTED, String.join(" ", cells))) {
      if (KEYS.containsKey(name.group(1))) {
        keys.add(KEYS.get(name.group(1)));
      }
    }
    List<String> initial =
        keys.stream().map(DEFAULTS::get).filter(value -> !value.isEmpty()).toList();
    return keys.isEmpty()
        ? List.of()
        : List.of(String.join(", ", initial), String.join(" and ", initial));
  }

  private static String told(String cell) {
    return cell.startsWith("blank") ? "" : cell.replace("`", "");
  }

  @ParameterizedTest
  @MethodSource("allPages")
  void every_link_of_the_page_leads_somewhere(Path page) {
    for (MatchResult link : matches(LINK, FENCED.matcher(read(page)).replaceAll(""))) {
      String target = link.group(1);
      if (target.contains(":")) {
        continue;
      }
      String[] parts = target.split("#", 2);
      Path file = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]).normalize();
      assertThat(Files.exists(file)).as(page + " links to " + target).isTrue();
      if (parts.length == 2) {
        assertThat(anchors(read(file))).as(page + " links to " + target).contains(parts[1]);
      }
    }
  }

  @Test
  void there_are_pages_and_settings_to_look_at() {
    assertThat(allPages()).hasSizeGreaterThan(10).allMatch(Files::exists);
    assertThat(DEFAULTS).containsEntry("GMP_PORT", "8000").containsEntry("port", "8000");
  }

  /** As the usual renderers make them. */
  private static List<String> anchors(String page) {
    List<String> anchors = new ArrayList<>();
    for (MatchResult heading : matches(HEADING, FENCED.matcher(page).replaceAll(""))) {
      anchors.add(
          heading
              .group(1)
              .toLowerCase(Locale.ROOT)
              .replaceAll("[^\\p{L}\\p{N} _-]", "")
              .replace(' ', '-'));
    }
    return anchors;
  }

  private static Stream<Path> markdown(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".md"))
          .sorted()
          .collect(Collectors.toList())
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<MatchResult> matches(Pattern pattern, String text) {
    return pattern.matcher(text).results().toList();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
