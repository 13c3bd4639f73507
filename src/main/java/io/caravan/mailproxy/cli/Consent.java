package io.caravan.mailproxy.cli;

import java.util.Locale;
import picocli.CommandLine.Option;

/** The question before what changes much at once. */
final class Consent {
  @Option(
      names = {"-y", "--yes"},
      description = "Do not ask.")
  boolean yes;

  private final Terminal terminal;

  Consent(Terminal terminal) {
    this.terminal = terminal;
  }

  /**
   * Asks.
   *
   * @param what what is going to happen, such as {@code delete 3 messages}
   * @throws Failure the answer was no, or there is nobody to ask
   */
  void to(String what) {
    if (yes) {
      return;
    }
    if (!terminal.asks()) {
      throw new Failure(
          Failure.USAGE, "would " + what + ". Nobody is there to ask: say --yes to do it.");
    }
    String answer = terminal.ask(Table.clean(what) + "? [y/N] ").toLowerCase(Locale.ROOT);
    if (!answer.equals("y") && !answer.equals("yes")) {
      throw new Failure(Failure.FAILED, "nothing was changed");
    }
  }
}
