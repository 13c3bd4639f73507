package io.caravan.mailproxy.endtoend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/** The database's clock in a test: goes as the system's does, and can be put forward. */
public final class MovableClock implements InstantSource {
  private static final AtomicLong AHEAD = new AtomicLong();

  /** Makes it the clock of proxies that start in a folder, through their wiring map. */
  public static void wire(Path home) {
    try {
      String shipped = Files.readString(Path.of("routes/beans.camel.yaml"));
      String wired =
          shipped.replaceFirst(
              "type: java.time.InstantSource\\s+factoryMethod: system",
              "type: " + MovableClock.class.getName());
      if (wired.equals(shipped)) {
        throw new IllegalStateException("the wiring map has no clock");
      }
      TestProxy.route(home, "beans.camel.yaml", wired);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Puts all of them forward; what proxies of this process know of their database's is right. */
  public static void advance(Duration by) {
    AHEAD.addAndGet(by.toMillis());
    TestStore.advance(by);
    TestProxy.setClocks();
  }

  /** What they show, Unix milliseconds. */
  public static long now() {
    return System.currentTimeMillis() + AHEAD.get();
  }

  @Override
  public Instant instant() {
    return Instant.ofEpochMilli(now());
  }
}
