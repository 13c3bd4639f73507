package io.caravan.mailproxy.queue;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Places where this process can be made to end as a kill would, without any hook of the virtual
 * machine: {@code -Dmailproxy.failpoint=NAME:n} at the n-th pass. For tests of recovery, here and
 * on an operator's own installation.
 */
public final class Failpoint {
  private static final int KILLED = 137; // 128 + SIGKILL

  private static final String NAME;
  private static final AtomicInteger LEFT;

  static {
    String[] set = System.getProperty("mailproxy.failpoint", "").split(":", 2);
    NAME = set[0];
    LEFT = new AtomicInteger(set.length < 2 ? 1 : Integer.parseInt(set[1]));
  }

  private Failpoint() {}

  /** Ends the process, if this is the place and the pass that were asked for. */
  public static void pass(String name) {
    if (NAME.equals(name) && LEFT.decrementAndGet() == 0) {
      Runtime.getRuntime().halt(KILLED);
    }
  }
}
