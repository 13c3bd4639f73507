package io.caravan.mailproxy.cli;

import io.caravan.mailproxy.http.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code mail-proxy messages retry|cancel|hold|release}: one message, or all that a filter finds.
 */
@Command
final class MessageChange implements Callable<Integer> {
  private static final Map<String, String> VERBS =
      Map.of(
          "retry", "Tries messages again at once.",
          "cancel", "Ends messages that wait; their recipients are cancelled.",
          "hold", "Keeps messages from being tried until they are released.",
          "release", "Lets held messages go on.");

  @Mixin Remote remote;
  @Mixin Owner owner = new Owner();
  @Mixin Consent consent;
  @Mixin MessageFilter filter = new MessageFilter();

  @Option(names = "--all", description = "All messages of the tenant, without a filter.")
  boolean all;

  @Option(
      names = {"-n", "--dry-run"},
      description = "Only say how many there are.")
  boolean dryRun;

  @Parameters(
      paramLabel = "ID",
      arity = "0..*",
      description = "These messages; without, those of the filter.")
  List<String> ids = new ArrayList<>();

  private final String verb;
  private final Terminal terminal;

  MessageChange(String verb, Terminal terminal) {
    this.verb = verb;
    this.terminal = terminal;
    this.remote = new Remote(terminal);
    this.consent = new Consent(terminal);
  }

  /** Adds the four to {@code messages}. */
  static CommandLine below(CommandLine messages, Terminal terminal, CommandLine.IFactory factory) {
    VERBS.forEach(
        (verb, what) -> {
          CommandLine change = new CommandLine(new MessageChange(verb, terminal), factory);
          change.getCommandSpec().usageMessage().description(what);
          messages.addSubcommand(verb, change);
        });
    return messages;
  }

  @Override
  public Integer call() {
    Api api = remote.api();
    Map<String, Object> chosen = filter.fields();
    String query = Api.query("tenant_id", owner.id(terminal));
    if (ids.size() == 1 && chosen.isEmpty() && !dryRun) {
      String path = "/messages/" + Api.segment(ids.get(0)) + "/" + verb + query;
      remote.show(
          api.post(path), done -> terminal.out().println(verb + ": " + Table.clean(ids.get(0))));
      return 0;
    }
    if (chosen.isEmpty() && ids.isEmpty() && !all) {
      throw new Failure(Failure.USAGE, "which messages? Give ids, a filter, or --all; see --help");
    }
    if (!ids.isEmpty()) {
      chosen.put("ids", ids);
    }
    if (chosen.isEmpty()) {
      chosen.put("all", true);
    }
    String path = "/commands/" + verb + "-messages" + query;
    String counted = api.post(path, Map.of("filter", chosen, "dry_run", true));
    long count = Json.tree(counted).path("count").longValue();
    if (dryRun || count == 0) {
      remote.show(counted, none -> terminal.out().println(count + " messages"));
      return 0;
    }
    consent.to(verb + " " + count + (count == 1 ? " message" : " messages"));
    remote.show(
        api.post(path, Map.of("filter", chosen, "dry_run", false)),
        done -> terminal.out().println(verb + ": " + done.path("count").asText() + " messages"));
    return 0;
  }
}
