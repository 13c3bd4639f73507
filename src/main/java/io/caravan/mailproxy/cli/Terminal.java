package io.caravan.mailproxy.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/**
 * What a command reads and writes.
 *
 * @param environment variables of the process
 * @param asks whether somebody reads the questions on {@code err} and can answer them
 * @param colours whether {@code out} may be coloured
 */
public record Terminal(
    Map<String, String> environment,
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean asks,
    boolean colours) {
  /** Says which of 0, 1 and 2 are terminals; set by {@code bin/mail-proxy}. */
  private static final String TERMINALS = "mailproxy.terminals";

  private static final int MAX_LINE = 4_096;

  /** The process's own. */
  public static Terminal ofProcess() {
    String terminals = System.getProperty(TERMINALS, "");
    boolean plain = !System.getenv().getOrDefault("NO_COLOR", "").isEmpty();
    return new Terminal(
        System.getenv(),
        System.in,
        System.out,
        System.err,
        terminals.contains("0") && terminals.contains("2"),
        terminals.contains("1") && !plain);
  }

  /** A variable; blank: it is not set. */
  String variable(String name) {
    return environment.getOrDefault(name, "").strip();
  }

  /** Asks, and reads one line. */
  String ask(String question) {
    err.print(question);
    err.flush();
    return line();
  }

  /** Asks for what nobody is to see: without echo where somebody types. */
  String askSecret(String question) {
    if (in != System.in) {
      return ask(question);
    }
    return Optional.ofNullable(System.console())
        .map(console -> console.readPassword("%s", question))
        .map(String::new)
        .orElseThrow(
            () ->
                new Failure(
                    Failure.USAGE, "cannot ask without an echo: do not redirect the output"));
  }

  /** A line of at most 4,096 bytes; what is beyond is left. */
  private String line() {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    try {
      for (int c = in.read(); c >= 0 && c != '\n' && line.size() < MAX_LINE; c = in.read()) {
        line.write(c);
      }
    } catch (IOException e) {
      throw new Failure(Failure.FAILED, "the answer cannot be read: " + e.getMessage());
    }
    return line.toString(StandardCharsets.UTF_8).strip();
  }

  /** Without secrets: variables are not shown. */
  @Override
  public String toString() {
    return "Terminal";
  }
}
