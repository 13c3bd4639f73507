package io.caravan.mailproxy.cli;

import io.caravan.mailproxy.HomeFolder;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** One command, run in this process: its exit code and what it printed. */
record CommandRun(int code, String out, String err) {

  /** The next command: who runs it, and what is typed. */
  static final class Shellful {
    private final Map<String, String> environment;
    private String typed = "";
    private boolean asks;

    private Shellful(Map<String, String> environment) {
      this.environment = new HashMap<>(environment);
    }

    Shellful with(String variable, String value) {
      environment.put(variable, value);
      return this;
    }

    /** What stands in standard input; nobody is asked. */
    Shellful reading(String text) {
      typed = text;
      return this;
    }

    /** At a terminal, where somebody types this. */
    Shellful typing(String text) {
      typed = text;
      asks = true;
      return this;
    }

    CommandRun run(String... args) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ByteArrayOutputStream err = new ByteArrayOutputStream();
      int code =
          Shell.run(
              args,
              new Terminal(
                  environment,
                  new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8)),
                  new PrintStream(out, true, StandardCharsets.UTF_8),
                  new PrintStream(err, true, StandardCharsets.UTF_8),
                  asks,
                  false),
              new HomeFolder(environment));
      return new CommandRun(
          code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
  }

  static Shellful with(Map<String, String> environment) {
    return new Shellful(environment);
  }
}
