package io.caravan.mailproxy.delivery;

import java.util.concurrent.atomic.LongAdder;

/** What happened to connections of one source address since start. */
public final class ConnectionCounts {
  final LongAdder opened = new LongAdder();
  final LongAdder reused = new LongAdder();
  final LongAdder failed = new LongAdder();
  final LongAdder closed = new LongAdder();

  ConnectionCounts() {}

  /** Sessions that came to stand. */
  public long opened() {
    return opened.sum();
  }

  /** Times a kept connection was taken for another mail. */
  public long reused() {
    return reused.sum();
  }

  /** Connections that could not be opened, sessions that did not come to stand. */
  public long failed() {
    return failed.sum();
  }

  /** Sessions closed again, by whichever side. */
  public long closed() {
    return closed.sum();
  }

  /** Open now, in use or kept. */
  public long active() {
    long gone = closed.sum();
    return Math.max(0, opened.sum() - gone);
  }
}
