package io.caravan.mailproxy.cli;

import io.caravan.mailproxy.http.Json;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code mail-proxy config}: what a start would read, without a start. */
@Command(
    name = "config",
    description = "The settings and routes of this home folder.",
    synopsisSubcommandLabel = "COMMAND")
final class Config {
  private static final Pattern SECRET =
      Pattern.compile(".*(token|password|secret|\\.key|\\.headers)");
  private static final Pattern IN_URL = Pattern.compile("(\\w+://)[^/@]+@");

  /** Of the database, also where it was written wrongly: all before the last @, and a parameter. */
  private static final Pattern IN_STORE = Pattern.compile("(?<=://).*(?=@)|(?<=password=)[^&]*");

  private final Terminal terminal;
  private final Program program;

  Config(Terminal terminal, Program program) {
    this.terminal = terminal;
    this.program = program;
  }

  @Command(
      description = "Says what would refuse a start: settings, environment, routes/ and routes.d/.")
  int check() {
    List<String> problems = program.problems();
    problems.forEach(terminal.err()::println);
    if (problems.isEmpty()) {
      terminal.out().println("config and routes are in order");
      return 0;
    }
    return Failure.FAILED;
  }

  @Command(description = "The settings in force; secrets are shown as ***.")
  int show(@Option(names = "--json", description = "As a JSON object.") boolean json) {
    Map<String, String> settings;
    try {
      settings = new TreeMap<>(program.settings());
    } catch (RuntimeException e) {
      throw new Failure(Failure.FAILED, e.getMessage() + "\nSee: mail-proxy config check");
    }
    settings.replaceAll(Config::shown);
    if (json) {
      terminal.out().println(Json.text(settings));
    } else {
      settings.forEach((key, value) -> terminal.out().println(key + "=" + Table.clean(value)));
    }
    return 0;
  }

  private static String shown(String key, String value) {
    if (key.equals("db.path")) {
      return IN_STORE.matcher(value).replaceAll("***");
    }
    return SECRET.matcher(key).matches() && !value.isBlank()
        ? "***"
        : IN_URL.matcher(value).replaceAll("$1***@");
  }
}
