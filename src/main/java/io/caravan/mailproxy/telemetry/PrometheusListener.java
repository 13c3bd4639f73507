package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.http.Arrival;
import io.caravan.mailproxy.http.HttpServers;
import io.caravan.mailproxy.http.Json;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.net.impl.ConnectionBase;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server for Prometheus alone, {@code GET /metrics} on {@code prometheus_listen}: with
 * threads of its own, so that it answers when the API has none left. Whoever is not answered in
 * time gets 408 or 500, never silence (telemetry.md 2).
 */
public final class PrometheusListener implements AutoCloseable {
  private static final String PATH = "/metrics";
  private static final Set<HttpMethod> METHODS = Set.of(HttpMethod.GET, HttpMethod.HEAD);
  private static final int MAX_SECONDS = 3600;
  private static final int MAX_CONNECTIONS = 64;
  private static final int WRITERS = 4;
  private static final Logger LOG = LoggerFactory.getLogger(PrometheusListener.class);

  private final PrometheusText text;
  private final RouteMeters meters;
  private String listen = "";
  private long limitMillis = 60_000;
  private int connections;
  private int writing;
  private volatile @Nullable Vertx vertx;
  private volatile int port;

  /**
   * @param text what is answered
   * @param meters where the answers are counted
   */
  public PrometheusListener(PrometheusText text, RouteMeters meters) {
    this.text = text;
    this.meters = meters;
  }

  /** Takes {@code prometheus_listen}; blank: it is off. */
  public void setListen(String listen) {
    this.listen = listen.strip();
  }

  /**
   * Takes {@code prometheus.timeout-seconds}, the limit for reading a request and for having its
   * answer.
   *
   * @param seconds 1 to 3,600
   */
  public void setTimeoutSeconds(int seconds) {
    if (seconds < 1 || seconds > MAX_SECONDS) {
      throw new IllegalArgumentException(
          "prometheus.timeout-seconds is not from 1 to " + MAX_SECONDS + ": " + seconds);
    }
    limitMillis = TimeUnit.SECONDS.toMillis(seconds);
  }

  /**
   * Listens, unless it is off.
   *
   * @throws IllegalStateException the address is malformed or cannot be listened on
   */
  public void start() {
    if (listen.isEmpty()) {
      return;
    }
    try {
      HostPort address = HostPort.of(listen);
      port = bind(address).actualPort();
      LOG.info("Prometheus listener answers at {}", new HostPort(address.host(), port));
    } catch (CompletionException e) {
      throw refusal(e.getCause() == null ? e : e.getCause());
    } catch (IllegalArgumentException e) {
      throw refusal(e);
    }
  }

  /** The port it listens on; 0: it is off. */
  public int port() {
    return port;
  }

  @Override
  public void close() {
    Vertx running = vertx;
    if (running != null) {
      vertx = null;
      port = 0;
      HttpServers.await(running.close());
    }
  }

  private HttpServer bind(HostPort address) {
    VertxOptions threads =
        HttpServers.threads(WRITERS)
            .setEventLoopPoolSize(1); // so that what is counted here needs no lock
    Vertx own = Vertx.builder().with(threads).withMetrics(new AnswerCounts(meters)).build();
    vertx = own;
    HttpServerOptions options =
        HttpServers.limit(new HttpServerOptions().setHost(address.host()).setPort(address.port()));
    return HttpServers.await(
        own.createHttpServer(options)
            .connectionHandler(this::connected)
            .requestHandler(request -> handle(own, request))
            .invalidRequestHandler(request -> of(request).refuse(HttpServers.fault(request)))
            .listen());
  }

  private IllegalStateException refusal(Throwable reason) {
    return new IllegalStateException(
        "cannot listen on "
            + listen
            + " (setting prometheus_listen, GMP_PROMETHEUS_LISTEN): "
            + reason.getMessage(),
        reason);
  }

  private void connected(HttpConnection connection) {
    var channel = ((ConnectionBase) connection).channel();
    ScrapeDeadlines deadlines = new ScrapeDeadlines(channel, limitMillis, meters::unrouted);
    deadlines.begin();
    connections++;
    connection.closeHandler(closed -> connections--);
    if (connections > MAX_CONNECTIONS) {
      channel.eventLoop().execute(() -> deadlines.refuse(HttpResponseStatus.SERVICE_UNAVAILABLE));
    }
  }

  private void handle(Vertx own, HttpServerRequest request) {
    ScrapeDeadlines deadlines = of(request);
    Arrival.of(request).route();
    if (!deadlines.head()) {
      return;
    }
    Scrape scrape = new Scrape(request, deadlines);
    request.exceptionHandler(broken -> scrape.deadlines.refuse(HttpResponseStatus.BAD_REQUEST));
    request.endHandler(
        end -> {
          if (!PATH.equals(request.path())) {
            scrape.refuse(404);
          } else if (!METHODS.contains(request.method())) {
            request.response().putHeader(HttpHeaders.ALLOW, "GET, HEAD");
            scrape.refuse(405);
          } else if (writing >= MAX_CONNECTIONS) {
            scrape.refuse(503);
          } else {
            write(own, scrape);
          }
        });
  }

  private static ScrapeDeadlines of(HttpServerRequest request) {
    return ((ConnectionBase) request.connection()).channel().pipeline().get(ScrapeDeadlines.class);
  }

  private void write(Vertx own, Scrape scrape) {
    Format format = Format.of(scrape.request.getHeader(HttpHeaders.ACCEPT));
    scrape.deadlines.read(() -> scrape.refuse(500));
    writing++;
    own.executeBlocking(() -> Buffer.buffer(text.write(format)), false)
        .onComplete(
            written -> {
              writing--;
              if (written.succeeded()) {
                scrape.answer(200, format.contentType(), written.result());
              } else {
                LOG.warn("Metrics could not be written", written.cause());
                scrape.refuse(500);
              }
            });
  }

  /** A request and its one answer. */
  private final class Scrape {
    private final HttpServerRequest request;
    private final ScrapeDeadlines deadlines;

    Scrape(HttpServerRequest request, ScrapeDeadlines deadlines) {
      this.request = request;
      this.deadlines = deadlines;
    }

    void refuse(int status) {
      String reason = HttpResponseStatus.valueOf(status).reasonPhrase();
      answer(status, "application/json", Buffer.buffer(Json.text(Map.of("detail", reason))));
    }

    void answer(int status, String type, Buffer body) {
      HttpServerResponse response = request.response();
      if (response.ended() || response.closed()) {
        return; // too late
      }
      deadlines.sending();
      if (status == 404 || status == 405) {
        meters.unrouted(deadlines.nanos());
      } else {
        meters.scraped(deadlines.nanos());
      }
      response
          .setStatusCode(status)
          .putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE)
          .putHeader(HttpHeaders.CONTENT_TYPE, type)
          .putHeader(HttpHeaders.CONTENT_LENGTH, String.valueOf(body.length()));
      (request.method().equals(HttpMethod.HEAD) ? response.end() : response.end(body))
          .onComplete(sent -> deadlines.sent());
    }
  }
}
