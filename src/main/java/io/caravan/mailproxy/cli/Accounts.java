package io.caravan.mailproxy.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Json;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code mail-proxy accounts}. */
@Command(
    name = "accounts",
    description = "Where mail goes out.",
    synopsisSubcommandLabel = "COMMAND")
final class Accounts {
  private final Terminal terminal;

  Accounts(Terminal terminal) {
    this.terminal = terminal;
  }

  @Command(description = "A tenant's accounts and their health.")
  int list(@Mixin Remote remote, @Mixin Owner owner) {
    remote.show(
        all(remote.api(), owner.id(terminal)),
        answer -> {
          Table table = new Table("id", "type", "host", "port", "tls", "health", "reason");
          for (JsonNode account : answer.path("accounts")) {
            table.row(
                account.path("id").asText(),
                account.path("type").asText(),
                account.path("host").asText(),
                account.path("port").asText(),
                Table.text(account.path("use_tls")),
                Table.text(account.path("health").path("state")),
                Table.text(account.path("health").path("reason")));
          }
          table.print(terminal.out());
        });
    return 0;
  }

  @Command(description = "One account, without its secrets.")
  int show(@Mixin Remote remote, @Mixin Owner owner, @Parameters(paramLabel = "ID") String id) {
    for (JsonNode account : Json.tree(all(remote.api(), owner.id(terminal))).path("accounts")) {
      if (account.path("id").asText().equals(id)) {
        remote.show(account.toString(), found -> Tenants.fields(found, terminal));
        return 0;
      }
    }
    throw new Failure(Failure.FAILED, "no account " + id + "; see: mail-proxy accounts list");
  }

  @Command(
      description =
          "Adds an account, or replaces it as a whole: fields not given get their defaults.")
  int add(
      @Mixin Remote remote,
      @Mixin Owner owner,
      @Parameters(paramLabel = "ID") String id,
      @Mixin AccountFields fields) {
    Map<String, Object> body = fields.body(terminal);
    body.put("id", id);
    Tenants.put(body, "tenant_id", owner.id(terminal));
    remote.show(
        remote.api().post("/account", body), answer -> terminal.out().println("kept " + id));
    return 0;
  }

  @Command(description = "Goes to the account's relay and logs in, without a mail.")
  int test(@Mixin Remote remote, @Mixin Owner owner, @Parameters(paramLabel = "ID") String id) {
    Findings findings = new Findings(terminal);
    JsonNode tested = tested(remote.api(), id, owner.id(terminal));
    remote.show(
        tested.toString(),
        answer -> answer.path("findings").forEach(one -> Doctor.tell(findings, id, one)));
    return tested.path("ok").asBoolean() ? 0 : Failure.FAILED;
  }

  @Command(description = "Deletes an account; what waits for it ends with an error.")
  int delete(
      @Mixin Remote remote,
      @Mixin Owner owner,
      @Mixin Consent consent,
      @Parameters(paramLabel = "ID") String id) {
    Api api = remote.api();
    consent.to("delete account " + id + "; what waits for it ends with an error");
    String query = Api.query("tenant_id", owner.id(terminal));
    remote.show(
        api.delete("/account/" + Api.segment(id) + query),
        answer -> terminal.out().println("deleted " + id));
    return 0;
  }

  /** What {@code POST /account/{id}/test} answers. */
  static JsonNode tested(Api api, String id, @Nullable String tenant) {
    String path = "/account/" + Api.segment(id) + "/test" + Api.query("tenant_id", tenant);
    return Json.tree(api.post(path, Map.of()));
  }

  private static String all(Api api, @Nullable String tenant) {
    return api.get("/accounts" + Api.query("tenant_id", tenant));
  }
}
