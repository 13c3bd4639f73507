package io.caravan.mailproxy.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A secret that a command sends; never an argument, which others could read. */
final class Secret {
  private Secret() {}

  /**
   * From a file, else a variable, else asked for.
   *
   * @param option the option that names the file, for the message
   * @throws Failure there is none, and nobody to ask
   */
  static String read(
      Terminal terminal, String what, @Nullable Path file, String option, String variable) {
    if (file != null) {
      return Remote.read(file);
    }
    String set = terminal.variable(variable);
    if (!set.isEmpty()) {
      return set;
    }
    if (!terminal.asks()) {
      throw new Failure(
          Failure.USAGE, "no " + what + ": set " + variable + ", or name a file by " + option);
    }
    return terminal.askSecret(what + ": ");
  }
}
