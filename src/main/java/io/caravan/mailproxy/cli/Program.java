package io.caravan.mailproxy.cli;

import java.util.List;
import java.util.Map;

/** What the program can do with the proxy itself; the commands know no more of it than this. */
public interface Program {
  /**
   * Runs {@code start} or {@code demo} until it is ended.
   *
   * @return exit code
   */
  int serve(List<String> arguments) throws Exception;

  /** What would refuse a start, one text for each, with file and line; empty: nothing. */
  List<String> problems();

  /**
   * The settings in force by key, secrets included.
   *
   * @throws RuntimeException they cannot be read; the message says why
   */
  Map<String, String> settings();
}
