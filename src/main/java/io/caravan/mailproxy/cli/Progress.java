package io.caravan.mailproxy.cli;

/** Shows on a terminal's {@code err} how far long work is; else shows nothing. */
final class Progress implements AutoCloseable {
  private static final int WIDTH = 30;
  private static final long PAUSE_NANOS = 100_000_000;

  private final Terminal terminal;
  private final String what;
  private final long total;
  private long done;
  private long shownAt = System.nanoTime();
  private boolean shown;

  /**
   * @param total 0: not known
   */
  Progress(Terminal terminal, String what, long total) {
    this.terminal = terminal;
    this.what = what;
    this.total = total;
  }

  void add(long more) {
    done += more;
    long now = System.nanoTime();
    if (terminal.asks() && (now - shownAt >= PAUSE_NANOS || done == total)) {
      shownAt = now;
      shown = true;
      int full = total == 0 ? 0 : (int) (WIDTH * done / total);
      String bar = total == 0 ? "" : "[" + "#".repeat(full) + ".".repeat(WIDTH - full) + "] ";
      terminal.err().print("\r" + bar + done + (total == 0 ? " " : "/" + total + " ") + what);
      terminal.err().flush();
    }
  }

  @Override
  public void close() {
    if (shown) {
      terminal.err().println();
    }
  }
}
