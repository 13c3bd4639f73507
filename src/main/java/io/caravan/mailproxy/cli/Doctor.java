package io.caravan.mailproxy.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * {@code mail-proxy doctor}: what is well here and at the relays, and what to do about the rest.
 */
@Command(
    name = "doctor",
    description = "Looks at this machine, the running proxy and its relays; says what to do.")
final class Doctor implements Callable<Integer> {
  @Mixin Remote remote;

  private final Terminal terminal;
  private final Program program;
  private final Findings findings;

  Doctor(Terminal terminal, Program program) {
    this.terminal = terminal;
    this.program = program;
    this.remote = new Remote(terminal);
    this.findings = new Findings(terminal);
  }

  @Override
  public Integer call() {
    if (remote.json) {
      findings.asJson();
    }
    Map<String, String> settings;
    try {
      settings = program.settings();
      findings.good(
          "settings", settings.getOrDefault("home", "") + "/config/application.properties");
      new Machine(findings, terminal, settings).look();
    } catch (RuntimeException e) {
      findings.bad("settings", String.valueOf(e.getMessage()), "see: mail-proxy config check");
      settings = Map.of();
    }
    Api api = remote.api();
    boolean answers = ready(api, settings);
    token(answers ? api.status("/status") : 0);
    if (answers) {
      relays(api);
    }
    findings.end();
    return findings.allGood() ? 0 : Failure.FAILED;
  }

  /**
   * @param status of an answer that needs a token; 0: nobody answers
   */
  private void token(int status) {
    boolean set = !remote.token().isEmpty();
    findings.add(
        status == 200 || (status == 0 && set),
        "token",
        status == 0 ? set ? "set" : "none is set" : status == 200 ? "accepted" : "refused",
        "set GMP_API_TOKEN, or start with --insecure-dev on your own machine");
  }

  /** Whether a proxy answers. */
  private boolean ready(Api api, Map<String, String> settings) {
    try {
      int status = api.status("/health/ready");
      findings.add(
          status == 200,
          "proxy",
          api.base() + " answers " + status,
          "see which check is down: curl " + api.base() + "/health/ready");
      return true;
    } catch (Failure e) {
      port(api, settings);
      return false;
    }
  }

  private void port(Api api, Map<String, String> settings) {
    String host = settings.getOrDefault("host", "127.0.0.1");
    String port = settings.getOrDefault("port", "8000");
    try (ServerSocket socket =
        new ServerSocket(Integer.parseInt(port.strip()), 1, InetAddress.getByName(host.strip()))) {
      findings.good(
          "proxy",
          "none answers at " + api.base() + "; port " + socket.getLocalPort() + " is free");
    } catch (IOException | IllegalArgumentException e) {
      findings.bad(
          "proxy",
          "none answers at " + api.base() + ", and " + host + ":" + port + " is taken",
          "end what has it (ss -ltnp), or set GMP_PORT to another");
    }
  }

  private void relays(Api api) {
    try {
      for (JsonNode tenant : Json.tree(api.get("/tenants")).path("tenants")) {
        String id = tenant.path("id").asText();
        String query = Api.query("tenant_id", id);
        for (JsonNode account : Json.tree(api.get("/accounts" + query)).path("accounts")) {
          String name = account.path("id").asText();
          Accounts.tested(api, name, id)
              .path("findings")
              .forEach(finding -> tell(findings, id + "/" + name, finding));
        }
      }
    } catch (Failure e) {
      findings.bad("accounts", e.text(), "the administrator's token shows them");
    }
  }

  /** One step towards a relay. */
  static void tell(Findings findings, String account, JsonNode finding) {
    String step = finding.path("step").asText();
    findings.add(
        finding.path("ok").asBoolean(),
        account + " " + step,
        finding.path("text").asText(),
        hint(step));
  }

  private static String hint(String step) {
    return switch (step) {
      case "DNS" -> "the account's host has no address there: check its name, and the proxy's DNS";
      case "TCP" -> "check host and port of the account, and the firewalls on the way";
      case "AUTH" ->
          "check user and password; AUTH is often offered over TLS only: set use_tls, or use port 587";
      default ->
          "check use_tls and port; a certificate of your own authority needs the account's tls_ca";
    };
  }
}
