package io.caravan.mailproxy.cli;

import io.caravan.mailproxy.http.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Green and red lines; a red one says what to do. Or the same as one JSON object. */
final class Findings {
  private static final String GREEN = "\u001b[32m";
  private static final String RED = "\u001b[31m";
  private static final String PLAIN = "\u001b[0m";

  private final Terminal terminal;
  private final List<Map<String, Object>> all = new ArrayList<>();
  private boolean allGood = true;
  private boolean json;

  Findings(Terminal terminal) {
    this.terminal = terminal;
  }

  /** From here on nothing is printed before {@link #end}. */
  void asJson() {
    json = true;
  }

  boolean allGood() {
    return allGood;
  }

  void good(String what, String text) {
    line(GREEN, "ok  ", what, text);
    keep(true, what, text);
  }

  void bad(String what, String text, String hint) {
    allGood = false;
    line(RED, "BAD ", what, text);
    if (!json) {
      terminal.out().println("      " + hint);
    }
    keep(false, what, text).put("hint", hint);
  }

  void add(boolean good, String what, String text, String hint) {
    if (good) {
      good(what, text);
    } else {
      bad(what, text, hint);
    }
  }

  /** All is found. */
  void end() {
    if (json) {
      terminal.out().println(Json.text(Map.of("ok", allGood, "findings", all)));
    }
  }

  private Map<String, Object> keep(boolean ok, String what, String text) {
    Map<String, Object> finding = new LinkedHashMap<>();
    finding.put("what", what);
    finding.put("ok", ok);
    finding.put("text", text);
    all.add(finding);
    return finding;
  }

  private void line(String colour, String mark, String what, String text) {
    if (!json) {
      String shown = terminal.colours() ? colour + mark + PLAIN : mark;
      terminal.out().println(shown + " " + Table.clean(what) + ": " + Table.clean(text));
    }
  }
}
