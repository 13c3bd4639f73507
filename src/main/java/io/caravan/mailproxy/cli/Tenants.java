package io.caravan.mailproxy.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code mail-proxy tenants}. */
@Command(name = "tenants", description = "Whose mail it is.", synopsisSubcommandLabel = "COMMAND")
final class Tenants {
  private static final int NOT_FOUND = 404;

  private final Terminal terminal;

  Tenants(Terminal terminal) {
    this.terminal = terminal;
  }

  @Command(description = "All tenants.")
  int list(
      @Mixin Remote remote,
      @Option(
              names = {"-a", "--active-only"},
              description = "Only those that are active.")
          boolean activeOnly) {
    remote.show(
        remote.api().get("/tenants" + Api.query("active_only", activeOnly ? "true" : null)),
        answer ->
            new Table("id", "name", "active", "base url")
                .of(answer.path("tenants"), "id", "name", "active", "client_base_url")
                .print(terminal.out()));
    return 0;
  }

  @Command(description = "One tenant, without its secrets.")
  int show(@Mixin Remote remote, @Parameters(paramLabel = "ID") String id) {
    remote.show(remote.api().get(path(id)), tenant -> fields(tenant, terminal));
    return 0;
  }

  @Command(description = "Adds a tenant, whose token is told once.")
  int add(
      @Mixin Remote remote,
      @Parameters(paramLabel = "ID") String id,
      @Mixin TenantFields fields,
      @Option(names = "--inactive", description = "Without calls that have nothing to report.")
          boolean inactive) {
    Api api = remote.api();
    int known = api.status(path(id));
    if (known != NOT_FOUND && known / 100 == 2) {
      throw new Failure(
          Failure.FAILED, "there is such a tenant already; change it with: tenants update " + id);
    }
    Map<String, Object> body = fields.body(terminal);
    body.put("id", id);
    body.put("active", !inactive);
    remote.show(
        api.post("/tenant", body),
        answer -> {
          terminal.out().println("added " + id);
          if (answer.has("api_key")) {
            terminal
                .out()
                .println("its token, which is not shown again: " + answer.path("api_key").asText());
          }
        });
    return 0;
  }

  @Command(description = "Changes the fields that are given.")
  int update(
      @Mixin Remote remote,
      @Parameters(paramLabel = "ID") String id,
      @Mixin TenantFields fields,
      @Option(
              names = "--active",
              negatable = true,
              description = "Whether it is called when there is nothing to report.")
          @Nullable Boolean active) {
    Map<String, Object> body = fields.body(terminal);
    if (active != null) {
      body.put("active", active);
    }
    if (body.isEmpty()) {
      throw new Failure(Failure.USAGE, "nothing to change: give one of the options, see --help");
    }
    remote.show(
        remote.api().put(path(id), body), answer -> terminal.out().println("changed " + id));
    return 0;
  }

  @Command(
      description = "Deletes a tenant with its accounts; what waits for them ends with an error.")
  int delete(
      @Mixin Remote remote, @Mixin Consent consent, @Parameters(paramLabel = "ID") String id) {
    Api api = remote.api();
    consent.to("delete tenant " + id + " with all its accounts");
    remote.show(api.delete(path(id)), answer -> terminal.out().println("deleted " + id));
    return 0;
  }

  /** {@code mail-proxy tenants token}. */
  @Command(
      name = "token",
      description = "The tokens of a tenant.",
      synopsisSubcommandLabel = "COMMAND")
  static final class Token {
    private final Terminal terminal;

    Token(Terminal terminal) {
      this.terminal = terminal;
    }

    @Command(name = "new", description = "Makes a token, told once; the ones before end.")
    int renew(
        @Mixin Remote remote,
        @Parameters(paramLabel = "ID") String id,
        @Option(
                names = "--expires",
                paramLabel = "WHEN",
                converter = Moment.class,
                description = "When it ends; else never.")
            @Nullable Long expires,
        @Option(
                names = "--overlap",
                paramLabel = "SECONDS",
                description = "How long the ones before still work; else not at all.")
            @Nullable Long overlap) {
      Map<String, Object> body = new LinkedHashMap<>();
      put(body, "expires_at", expires);
      put(body, "overlap_seconds", overlap);
      remote.show(
          remote.api().post(path(id) + "/api-key", body),
          answer -> terminal.out().println(answer.path("api_key").asText()));
      return 0;
    }

    @Command(description = "Ends all tokens of a tenant at once.")
    int revoke(
        @Mixin Remote remote, @Mixin Consent consent, @Parameters(paramLabel = "ID") String id) {
      Api api = remote.api();
      consent.to("end all tokens of tenant " + id);
      remote.show(api.delete(path(id) + "/api-key"), answer -> terminal.out().println("ended"));
      return 0;
    }
  }

  /** With the command for tokens below it. */
  static CommandLine of(Terminal terminal, CommandLine.IFactory factory) {
    return new CommandLine(new Tenants(terminal), factory)
        .addSubcommand(new CommandLine(new Token(terminal), factory));
  }

  /** One line for each field. */
  static void fields(JsonNode object, Terminal terminal) {
    Table table = new Table("field", "value");
    object.properties().forEach(field -> table.row(field.getKey(), Table.text(field.getValue())));
    table.print(terminal.out());
  }

  /** Puts what is there. */
  static void put(Map<String, Object> body, String name, @Nullable Object value) {
    if (value != null) {
      body.put(name, value);
    }
  }

  private static String path(String id) {
    return "/tenant/" + Api.segment(id);
  }
}
