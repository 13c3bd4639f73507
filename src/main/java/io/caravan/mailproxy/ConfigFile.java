package io.caravan.mailproxy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** {@code config/application.properties} by lines: what stands where, and what is wrong with it. */
final class ConfigFile {
  private static final String CAMEL = "camel.";
  private static final Pattern SETTING = Pattern.compile("([^=:\\s]+)\\s*[=:].*");
  private static final Pattern USE = Pattern.compile("\\{\\{[?!]*([A-Za-z][\\w.-]*)");

  /** Read before the file is, or by the program itself. */
  private static final Set<String> READ_ELSEWHERE =
      Set.of("log.level", "log.format", "drain.seconds", "encryption.key");

  private final Path home;
  private final Path path;
  private final Map<String, Integer> lines = new LinkedHashMap<>();
  private final List<String> problems = new ArrayList<>();
  private final Set<String> used = new HashSet<>(READ_ELSEWHERE);

  private ConfigFile(Path home) {
    this.home = home;
    this.path = home.resolve("config/application.properties");
  }

  /**
   * Reads it.
   *
   * @throws ConfigurationException there is none that can be read
   */
  static ConfigFile of(Path home) {
    ConfigFile file = new ConfigFile(home);
    try {
      file.read();
      file.collectUses();
    } catch (IOException e) {
      throw new ConfigurationException(
          file.path + " cannot be read (" + e.getClass().getSimpleName() + "); is GMP_HOME right?");
    }
    return file;
  }

  /** The settings, without Camel's own. */
  Set<String> keys() {
    return lines.keySet();
  }

  /** Lines that are no setting, settings that stand twice, and those that nothing asks for. */
  List<String> problems() {
    List<String> all = new ArrayList<>(problems);
    lines.forEach(
        (key, line) -> {
          if (!used.contains(key)) {
            all.add(place(key) + ": no route asks for setting " + key + "; is it misspelt?");
          }
        });
    return all;
  }

  /** File and line of a setting. */
  String place(String key) {
    Integer line = lines.get(key);
    return line == null ? path.toString() : path + ", line " + line;
  }

  private void read() throws IOException {
    int number = 0;
    for (String raw : Files.readAllLines(path)) {
      number++;
      String line = raw.strip();
      Matcher setting = SETTING.matcher(line);
      if (line.isEmpty() || line.startsWith("#") || line.startsWith("!")) {
        continue;
      }
      if (!setting.matches()) {
        problems.add(path + ", line " + number + ": no setting, which is key=value: " + line);
      } else if (line.startsWith(CAMEL)) {
        collect(line);
      } else {
        Integer before = lines.putIfAbsent(setting.group(1), number);
        if (before != null) {
          problems.add(
              path
                  + ", line "
                  + number
                  + ": setting "
                  + setting.group(1)
                  + " stands in line "
                  + before
                  + " already");
        }
      }
    }
  }

  private void collectUses() throws IOException {
    for (String folder : List.of("routes", "routes.d")) {
      if (Files.isDirectory(home.resolve(folder))) {
        try (Stream<Path> files = Files.list(home.resolve(folder))) {
          for (Path file : files.filter(f -> f.toString().endsWith(".camel.yaml")).toList()) {
            collect(Files.readString(file));
          }
        }
      }
    }
  }

  private void collect(String text) {
    Matcher use = USE.matcher(text);
    while (use.find()) {
      used.add(use.group(1));
    }
  }
}
