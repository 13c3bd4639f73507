package io.caravan.mailproxy.cli;

/** Green and red lines; a red one says what to do. */
final class Findings {
  private static final String GREEN = "\u001b[32m";
  private static final String RED = "\u001b[31m";
  private static final String PLAIN = "\u001b[0m";

  private final Terminal terminal;
  private boolean allGood = true;

  Findings(Terminal terminal) {
    this.terminal = terminal;
  }

  boolean allGood() {
    return allGood;
  }

  void good(String what, String text) {
    line(GREEN, "ok  ", what, text);
  }

  void bad(String what, String text, String hint) {
    allGood = false;
    line(RED, "BAD ", what, text);
    terminal.out().println("      " + hint);
  }

  void add(boolean good, String what, String text, String hint) {
    if (good) {
      good(what, text);
    } else {
      bad(what, text, hint);
    }
  }

  private void line(String colour, String mark, String what, String text) {
    String shown = terminal.colours() ? colour + mark + PLAIN : mark;
    terminal.out().println(shown + " " + Table.clean(what) + ": " + Table.clean(text));
  }
}
