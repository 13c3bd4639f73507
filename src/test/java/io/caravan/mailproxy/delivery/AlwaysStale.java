package io.caravan.mailproxy.delivery;

import java.util.concurrent.atomic.AtomicInteger;

/** A transport of a user's own that never gets hold of a connection that is alive. */
public final class AlwaysStale {
  public static final AtomicInteger SENDS = new AtomicInteger();

  public void send() throws StaleConnectionException {
    SENDS.incrementAndGet();
    throw new StaleConnectionException("gone again", null);
  }
}
