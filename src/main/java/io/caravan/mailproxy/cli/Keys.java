package io.caravan.mailproxy.cli;

import io.caravan.mailproxy.http.Json;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code mail-proxy keys}. */
@Command(
    name = "keys",
    description = "The keys that seal secrets in the database.",
    synopsisSubcommandLabel = "COMMAND")
final class Keys {
  private final Terminal terminal;

  Keys(Terminal terminal) {
    this.terminal = terminal;
  }

  /** Exit code 1 while something is left that no loaded key opens. */
  @Command(description = "Seals all secrets with the first of the loaded keys.")
  int rotate(@Mixin Remote remote) {
    String answer = remote.api().post("/keys/rotate");
    int left = Json.tree(answer).path("left").intValue();
    remote.show(
        answer,
        done ->
            terminal
                .out()
                .println(done.path("rotated").asText() + " sealed anew, " + left + " left"));
    if (left > 0) {
      throw new Failure(
          Failure.FAILED,
          "no loaded key opens " + left + " of them: load their key too, or set them again");
    }
    return 0;
  }
}
