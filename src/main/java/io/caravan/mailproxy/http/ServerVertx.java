package io.caravan.mailproxy.http;

import io.netty.channel.Channel;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.impl.VertxWrapper;
import io.vertx.core.net.impl.ConnectionBase;
import java.util.concurrent.TimeUnit;

/**
 * The Vert.x of Camel's HTTP server, which has no settings of its own for what is done here: limits
 * and deadlines of requests, our form for what Vert.x refuses, and no request that is read before
 * there is somebody to answer it. Whoever makes it ends it by {@link #end}; Camel closes the
 * server.
 */
public final class ServerVertx extends VertxWrapper {
  /** Names of Vert.x' handlers in a connection's pipeline. */
  private static final String DECODER = "httpDecoder";

  private static final String HANDLER = "handler";

  private final AnswerMeter meter;
  private final Promise<Void> opened = Promise.promise();
  private int idleSeconds = 75;
  private int headSeconds = 10;
  private int bodySeconds = 60;

  /**
   * @param workers threads that serve requests ({@code http.workers})
   * @param meter where answers are counted
   */
  public ServerVertx(int workers, AnswerMeter meter) {
    super(
        (VertxInternal)
            Vertx.builder().with(HttpServers.threads(workers)).withMetrics(meter).build());
    this.meter = meter;
  }

  /** Seconds that a connection may be without a request ({@code http.idle-seconds}), from 1. */
  public void setIdleSeconds(int seconds) {
    idleSeconds = seconds;
  }

  /** Seconds for a request's head ({@code http.head-seconds}), from 1. */
  public void setHeadSeconds(int seconds) {
    headSeconds = seconds;
  }

  /** Seconds for a request's body ({@code http.body-seconds}), from 1. */
  public void setBodySeconds(int seconds) {
    bodySeconds = seconds;
  }

  @Override
  public HttpServer createHttpServer(HttpServerOptions options) {
    HttpServerOptions limited = HttpServers.limit(options);
    RequestDeadlines.Limits limits =
        new RequestDeadlines.Limits(
            TimeUnit.SECONDS.toNanos(idleSeconds),
            TimeUnit.SECONDS.toNanos(headSeconds),
            TimeUnit.SECONDS.toNanos(bodySeconds));
    return delegate
        .createHttpServer(limited)
        .connectionHandler(connection -> connected(connection, limited, limits))
        .invalidRequestHandler(ServerVertx::refuse);
  }

  /** From now on requests are read; connections that came before have waited. */
  public void open() {
    opened.tryComplete();
  }

  /**
   * Ends its threads, with all that still runs on them.
   *
   * @throws java.util.concurrent.CompletionException that took more than 10 seconds
   */
  public void end() {
    HttpServers.await(delegate.close());
  }

  private void connected(
      HttpConnection connection, HttpServerOptions options, RequestDeadlines.Limits limits) {
    Channel channel = ((ConnectionBase) connection).channel();
    channel.pipeline().replace(DECODER, DECODER, new StrictDecoder(options));
    RequestDeadlines.watch(channel, HANDLER, limits, meter);
    if (!opened.future().isComplete()) {
      channel.config().setAutoRead(false);
      opened.future().onComplete(open -> channel.config().setAutoRead(true));
    }
  }

  private static void refuse(HttpServerRequest request) {
    Arrival arrival = Arrival.of(request);
    RequestDeadlines.of(((ConnectionBase) request.connection()).channel())
        .refuse(
            HttpServers.fault(request),
            arrival.name(request.getHeader(HttpEdge.ID)),
            arrival.age());
  }
}
