package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.http.AnswerMeter;
import io.caravan.mailproxy.http.Arrival;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.core.spi.metrics.HttpServerMetrics;
import io.vertx.core.spi.metrics.VertxMetrics;
import io.vertx.core.spi.observability.HttpRequest;
import io.vertx.core.spi.observability.HttpResponse;

/**
 * Notes when each request of the HTTP server came, and counts the answers that no route gave: what
 * the server refuses itself is answered as well.
 */
public final class AnswerCounts
    implements AnswerMeter, VertxMetrics, HttpServerMetrics<Arrival, Void, Void> {
  private final RouteMeters meters;

  public AnswerCounts(RouteMeters meters) {
    this.meters = meters;
  }

  @Override
  public VertxMetrics metrics(VertxOptions options) {
    return this;
  }

  @Override
  public HttpServerMetrics<?, ?, ?> createHttpServerMetrics(
      HttpServerOptions options, SocketAddress address) {
    return this;
  }

  @Override
  public Arrival requestBegin(Void socket, HttpRequest request) {
    Arrival arrival = new Arrival();
    if (request instanceof HttpServerRequest asked
        && !((ConnectionBase) asked.connection()).channel().isActive()) {
      arrival.route(); // a head that the client broke off: nobody is there to be answered
    }
    return arrival;
  }

  @Override
  public void responseEnd(Arrival request, HttpResponse response, long bytesWritten) {
    if (!request.isRouted()) {
      unrouted(request.age());
    }
  }

  @Override
  public void unrouted(long nanos) {
    meters.unrouted(nanos);
  }
}
