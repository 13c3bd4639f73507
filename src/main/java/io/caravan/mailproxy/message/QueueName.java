package io.caravan.mailproxy.message;

import java.util.Locale;

/** The queues, each with slots of its own. */
public enum QueueName {
  /** First attempts. */
  RAM,
  /** Mail that the proxy makes itself. */
  BOUNCE,
  /** Retries. */
  DISK;

  /** As in settings, routes and metrics. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
