package io.caravan.mailproxy.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code mail-proxy} and its commands without a noun. */
@Command(
    name = "mail-proxy",
    description =
        "Keeps mail on disk, sends it through relay accounts, and tells what became of it.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = HelpCommand.class,
    scope = CommandLine.ScopeType.INHERIT,
    footer = {
      "",
      "GMP_API_TOKEN, or the file that GMP_API_TOKEN_FILE names, holds the token; GMP_URL names the",
      "proxy to talk to; GMP_HOME the folder to run from, else the one that holds",
      "target/mail-proxy.jar, else the working directory.",
      "Exit codes: 0 done, 1 refused or failed, 2 not understood, 3 nobody answers.",
      "Every setting is in config/application.properties; the commands are in docs/command-line.md."
    })
final class MailProxyCommand {
  /** The counters that existing dashboards know. */
  private static final Pattern SAMPLE = Pattern.compile("(gmp_\\w+)(?:\\{(.*)})? ([0-9.eE+-]+)");

  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

  private final Terminal terminal;
  private final Program program;

  @Spec CommandSpec spec = CommandSpec.create();

  MailProxyCommand(Terminal terminal, Program program) {
    this.terminal = terminal;
    this.program = program;
  }

  @Command(description = "Runs the service from config/ and routes/.")
  int start(
      @Option(names = "--insecure-dev", description = "No token, on 127.0.0.1 only.")
          boolean insecureDev)
      throws Exception {
    return program.serve(insecureDev ? List.of("start", "--insecure-dev") : List.of("start"));
  }

  @Command(description = "Runs it with a sandbox relay and shows one mail's way.")
  int demo() throws Exception {
    return program.serve(List.of("demo"));
  }

  @Command(description = "What the proxy is doing, and whether it is ready.")
  int status(@Mixin Remote remote) {
    remote.show(
        remote.api().get("/status"),
        status -> {
          Table table = new Table("status", "value");
          status
              .properties()
              .forEach(entry -> table.row(entry.getKey(), Table.text(entry.getValue())));
          table.print(terminal.out());
        });
    return 0;
  }

  @Command(description = "What was sent, deferred and failed since the start, by account.")
  int stats(@Mixin Remote remote) {
    List<Map<String, Object>> samples = new ArrayList<>();
    remote.api().get("/metrics").lines().forEach(line -> collect(line, samples));
    if (remote.json) {
      terminal.out().println(Json.text(samples));
      return 0;
    }
    JsonNode tree = Json.MAPPER.valueToTree(samples);
    new Table("metric", "tenant", "account", "value")
        .of(tree, "metric", "tenant_id", "account_id", "value")
        .print(terminal.out());
    return 0;
  }

  @Command(
      name = "run-now",
      description = "Calls the sync endpoints at once; sending needs no push.")
  int runNow(@Mixin Remote remote) {
    remote.show(remote.api().post("/commands/run-now"), done -> terminal.out().println("done"));
    return 0;
  }

  @Command(description = "Prints the completion script: source <(mail-proxy completion)")
  int completion() {
    terminal.out().println(AutoComplete.bash("mail-proxy", spec.commandLine()));
    return 0;
  }

  private static void collect(String line, List<Map<String, Object>> samples) {
    Matcher sample = SAMPLE.matcher(line);
    if (!sample.matches()) {
      return;
    }
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("metric", sample.group(1));
    if (sample.group(2) != null) {
      Matcher label = LABEL.matcher(sample.group(2));
      while (label.find()) {
        told.put(label.group(1), label.group(2));
      }
    }
    told.put("value", Math.round(Double.parseDouble(sample.group(3))));
    samples.add(told);
  }
}
