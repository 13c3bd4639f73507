package io.caravan.mailproxy.http;

import io.vertx.core.spi.VertxMetricsFactory;

/**
 * Counts the answers of an HTTP server: those of Vert.x by its metrics, and those given below it.
 */
public interface AnswerMeter extends VertxMetricsFactory {
  /** A request that reached no route was answered, so many nanoseconds after it began. */
  void unrouted(long nanos);
}
