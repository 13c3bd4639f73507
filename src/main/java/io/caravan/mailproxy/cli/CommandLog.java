package io.caravan.mailproxy.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
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
  private static final int PAGE = 1_000;

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
    remote.show(
        remote.api().get(path(span, endpoint, limit, 0)),
        answer -> {
          Table table = new Table("id", "when", "command", "tenant", "caller", "status", "payload");
          for (JsonNode command : answer.path("commands")) {
            table.row(
                command.path("id").asText(),
                Table.moment(command.path("command_ts")),
                command.path("endpoint").asText(),
                Table.text(command.path("tenant_id")),
                Table.text(command.path("caller")),
                Table.text(command.path("response_status")),
                Table.text(command.path("payload")));
          }
          table.print(terminal.out());
        });
    return 0;
  }

  @Command(
      description =
          "All commands, one JSON object a line; with --json the export of the API, 10,000 at most.")
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
    try {
      if (output == null) {
        export(remote, query, span, terminal.out());
      } else {
        try (OutputStream to = Files.newOutputStream(output)) {
          export(remote, query, span, to);
        }
      }
    } catch (IOException e) {
      throw new Failure(Failure.FAILED, "the export broke off: " + e);
    }
    return 0;
  }

  private void export(Remote remote, String query, Span span, OutputStream to) throws IOException {
    if (remote.json) {
      to.write(
          (remote.api().get("/command-log/export" + query) + "\n")
              .getBytes(StandardCharsets.UTF_8));
    } else {
      pages(remote.api(), span, to);
    }
  }

  /** The proxy gives so many at a time. */
  private void pages(Api api, Span span, OutputStream to) throws IOException {
    try (Progress progress = new Progress(terminal, "commands", 0)) {
      long after = 0;
      int count = PAGE;
      while (count == PAGE) {
        count = 0;
        for (JsonNode command :
            Json.tree(api.get(path(span, null, PAGE, after))).path("commands")) {
          to.write((command + "\n").getBytes(StandardCharsets.UTF_8));
          after = command.path("id").longValue();
          count++;
        }
        progress.add(count);
      }
    }
  }

  private static String path(Span span, @Nullable String endpoint, int limit, long after) {
    return "/command-log"
        + Api.query(
            "tenant_id",
            span.tenant,
            "since_ts",
            span.since,
            "until_ts",
            span.until,
            "endpoint_filter",
            endpoint,
            "limit",
            limit,
            "after_id",
            after == 0 ? null : after);
  }
}
