package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Priority;
import java.util.List;

/** Goes the way of a message without being one: what takes room and time, and is never sent. */
public final class Probe {
  /** Exchange property that holds it. */
  public static final String PROPERTY = "probe";

  /** No account has this key: probes are a lane of their own. */
  private static final LaneKey LANE = LaneKey.of(0);

  /** How far a probe goes. */
  enum Path {
    /** From intake to the disk. */
    INTAKE,
    /** From intake to the moment before a connection. */
    DELIVERY
  }

  private final Path path;
  private final long startedAt = System.nanoTime();

  Probe(Path path) {
    this.path = path;
  }

  Path path() {
    return path;
  }

  /** Nanoseconds since it started. */
  long age() {
    return System.nanoTime() - startedAt;
  }

  /** What stands for it in the ram queue. */
  static Delivery delivery() {
    return new Delivery("", 0, 0, LANE, 0, Priority.of(0), 0, 0, 0, null, List.of(), null);
  }
}
