package io.caravan.mailproxy.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Json;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code mail-proxy messages}. */
@Command(
    name = "messages",
    description = "What was taken in, and what became of it.",
    synopsisSubcommandLabel = "COMMAND")
final class Messages {
  private static final int PAGE = 500;
  private static final int PIECE = 100;

  private final Terminal terminal;

  Messages(Terminal terminal) {
    this.terminal = terminal;
  }

  @Command(description = "A tenant's messages.")
  int list(
      @Mixin Remote remote,
      @Mixin Owner owner,
      @Mixin MessageFilter filter,
      @Option(
              names = "--limit",
              defaultValue = "50",
              description = "Most messages; else ${DEFAULT-VALUE}.")
          int limit,
      @Option(names = "--csv", description = "Comma-separated.") boolean csv) {
    if (limit < 1) {
      throw new Failure(Failure.USAGE, "--limit must be 1 or more");
    }
    Api api = remote.api();
    Table table = new Table("id", "account", "status", "created", "subject", "error");
    String cursor = null;
    int left = limit;
    do {
      String query = filter.query(owner.id(terminal), Math.min(left, PAGE), cursor);
      String answer = api.get("/messages" + query);
      if (remote.json) {
        terminal.out().println(answer);
      }
      JsonNode page = Json.tree(answer);
      page.path("messages").forEach(message -> row(table, message));
      left -= page.path("messages").size();
      cursor = page.path("next_cursor").textValue();
    } while (cursor != null && left > 0);
    if (!remote.json && csv) {
      table.printCsv(terminal.out());
    } else if (!remote.json) {
      table.print(terminal.out());
    }
    return 0;
  }

  @Command(description = "One message: its recipients, why it waits, and what happened to it.")
  int show(@Mixin Remote remote, @Mixin Owner owner, @Parameters(paramLabel = "ID") String id) {
    String query = Api.query("tenant_id", owner.id(terminal));
    remote.show(
        remote.api().get("/messages/" + Api.segment(id) + query),
        message -> {
          Table table = new Table("field", "value");
          table.row("status", status(message));
          for (String field :
              List.of(
                  "id",
                  "tenant_id",
                  "account_id",
                  "priority",
                  "batch_code",
                  "created_at",
                  "error")) {
            if (message.has(field)) {
              table.row(field, message.path(field).asText());
            }
          }
          table.row("subject", message.path("message").path("subject").asText());
          message
              .path("waiting")
              .properties()
              .forEach(why -> table.row("waiting " + why.getKey(), Table.text(why.getValue())));
          table.print(terminal.out());
          terminal.out().println();
          new Table("recipient", "state", "code", "reply")
              .of(message.path("recipients"), "address", "status", "code", "reply")
              .print(terminal.out());
          terminal.out().println();
          timeline(message.path("events"));
        });
    return 0;
  }

  @Command(description = "Deletes messages; those that wait are not sent.")
  int delete(
      @Mixin Remote remote,
      @Mixin Owner owner,
      @Mixin Consent consent,
      @Parameters(paramLabel = "ID", arity = "1..*") List<String> ids) {
    Api api = remote.api();
    if (ids.size() > 1) {
      consent.to("delete " + ids.size() + " messages");
    }
    String path = "/commands/delete-messages" + Api.query("tenant_id", owner.id(terminal));
    int removed = 0;
    int missing = 0;
    try (Progress progress = new Progress(terminal, "messages", ids.size())) {
      for (int i = 0; i < ids.size(); i += PIECE) {
        List<String> piece = ids.subList(i, Math.min(i + PIECE, ids.size()));
        String answer = api.post(path, Map.of("ids", piece));
        if (remote.json) {
          terminal.out().println(answer);
        }
        JsonNode done = Json.tree(answer);
        removed += done.path("removed").intValue();
        missing += done.path("not_found").size() + done.path("unauthorized").size();
        progress.add(piece.size());
      }
    }
    if (!remote.json) {
      terminal.out().println(removed + " deleted");
    }
    if (missing > 0) {
      throw new Failure(Failure.FAILED, missing + " not found; see: mail-proxy messages list");
    }
    return 0;
  }

  /** What clients tell a state by (genro-api 1.5), unless the proxy says it. */
  static String status(JsonNode message) {
    if (message.hasNonNull("status")) {
      return message.path("status").asText();
    }
    return message.has("error_ts") || message.has("error")
        ? "error"
        : message.has("sent_ts") ? "sent" : message.has("deferred_ts") ? "deferred" : "pending";
  }

  private static void row(Table table, JsonNode message) {
    table.row(
        message.path("id").asText(),
        message.path("account_id").asText(),
        status(message),
        message.path("created_at").asText(),
        message.path("message").path("subject").asText(),
        Table.text(message.path("error")));
  }

  private void timeline(JsonNode events) {
    Table table = new Table("when", "event", "what");
    for (JsonNode event : events) {
      table.row(
          Table.moment(event.path("event_ts")),
          event.path("event_type").asText(),
          Table.text(event.path("description")));
    }
    table.print(terminal.out());
  }
}
