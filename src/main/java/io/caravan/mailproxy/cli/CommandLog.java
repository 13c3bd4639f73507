package io.caravan.mailproxy.cli;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Json;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code mail-proxy command-log}. */
@Command(
    name = "command-log",
    description = "What was asked of the proxy, and by whom.",
    synopsisSubcommandLabel = "COMMAND")
final class CommandLog {
  private final Terminal terminal;

  CommandLog(Terminal terminal) {
    this.terminal = terminal;
  }

  /** Options of both commands. */
  static final class Span {
    @Option(
        names = {"-t", "--tenant"},
        paramLabel = "ID",
        description = "Of this tenant.")
    @Nullable String tenant;

    @Option(
        names = "--since",
        paramLabel = "WHEN",
        converter = Moment.class,
        description = "Then or later: Unix seconds, a date, or a moment in UTC.")
    @Nullable Long since;

    @Option(
        names = "--until",
        paramLabel = "WHEN",
        converter = Moment.class,
        description = "Until then.")
    @Nullable Long until;
  }

  @Command(description = "The commands, the oldest first.")
  int list(
      @Mixin Remote remote,
      @Mixin Span span,
      @Option(names = "--endpoint", paramLabel = "TEXT", description = "Whose name has this in it.")
          @Nullable String endpoint,
      @Option(
              names = "--limit",
              defaultValue = "50",
              description = "Most commands; else ${DEFAULT-VALUE}.")
          int limit) {
    String query =
        Api.query(
            "tenant_id", span.tenant,
            "since_ts", span.since,
            "until_ts", span.until,
            "endpoint_filter", endpoint,
            "limit", limit);
    remote.show(
        remote.api().get("/command-log" + query),
        answer -> {
          Table table = new Table("id", "when", "command", "tenant", "status", "payload");
          for (JsonNode command : answer.path("commands")) {
            table.row(
                command.path("id").asText(),
                Table.moment(command.path("command_ts")),
                command.path("endpoint").asText(),
                Table.text(command.path("tenant_id")),
                Table.text(command.path("response_status")),
                Table.text(command.path("payload")));
          }
          table.print(terminal.out());
        });
    return 0;
  }

  @Command(
      description = "All commands, one JSON object a line; --json writes the answer as it came.")
  int export(
      @Mixin Remote remote,
      @Mixin Span span,
      @Option(
              names = {"-o", "--output"},
              paramLabel = "FILE",
              description = "Where to; else standard output.")
          @Nullable Path output) {
    String query =
        Api.query("tenant_id", span.tenant, "since_ts", span.since, "until_ts", span.until);
    try (InputStream answer = remote.api().stream("/command-log/export" + query);
        OutputStream to =
            new BufferedOutputStream(
                output == null ? terminal.out() : Files.newOutputStream(output))) {
      if (remote.json) {
        answer.transferTo(to);
      } else {
        lines(answer, to);
      }
      to.flush();
    } catch (IOException e) {
      throw new Failure(Failure.FAILED, "the export broke off: " + e);
    }
    return 0;
  }

  private void lines(InputStream answer, OutputStream to) throws IOException {
    try (JsonParser parser = Json.MAPPER.createParser(answer);
        Progress progress = new Progress(terminal, "commands", 0)) {
      while (parser.nextToken() != null && !"commands".equals(parser.currentName())) {
        // on to the list
      }
      parser.nextToken();
      while (parser.nextToken() == JsonToken.START_OBJECT) {
        JsonNode command = parser.readValueAsTree();
        to.write((command + "\n").getBytes(StandardCharsets.UTF_8));
        progress.add(1);
      }
    }
  }
}
