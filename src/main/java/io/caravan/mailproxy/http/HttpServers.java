package io.caravan.mailproxy.http;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.vertx.core.Future;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.metrics.MetricsOptions;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** What the proxy's HTTP servers have in common. */
public final class HttpServers {
  /** Bytes of a request's first line, at most. */
  static final int MAX_LINE = 4096;

  /** Bytes of a request's header fields, at most. */
  static final int MAX_HEADER = 8192;

  /** Milliseconds that a client has to read the end of the last answer on its connection. */
  public static final long GRACE_MILLIS = 1000;

  private static final long PATIENCE_SECONDS = 10;

  private HttpServers() {}

  /**
   * Threads of a Vert.x that is measured and keeps no files: it would write a folder of its own.
   *
   * @param workers threads for what waits
   */
  public static VertxOptions threads(int workers) {
    return new VertxOptions()
        .setWorkerPoolSize(workers)
        .setMetricsOptions(new MetricsOptions().setEnabled(true))
        .setFileSystemOptions(
            new FileSystemOptions()
                .setClassPathResolvingEnabled(false)
                .setFileCachingEnabled(false));
  }

  /**
   * Bounds what a request's head may be, and speaks HTTP/1 only: for HTTP/2 without TLS Vert.x
   * waits for bytes before it tells of a connection.
   */
  public static HttpServerOptions limit(HttpServerOptions options) {
    return options
        .setHttp2ClearTextEnabled(false)
        .setPerFrameWebSocketCompressionSupported(false)
        .setPerMessageWebSocketCompressionSupported(false)
        .setMaxInitialLineLength(MAX_LINE)
        .setMaxHeaderSize(MAX_HEADER);
  }

  /** What is wrong with a request that could not be read. */
  public static HttpResponseStatus fault(HttpServerRequest request) {
    Throwable cause = request.decoderResult().cause();
    if (cause instanceof TooLongHttpLineException) {
      return HttpResponseStatus.REQUEST_URI_TOO_LONG;
    }
    if (cause instanceof TooLongHttpHeaderException) {
      return HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE;
    }
    return request.version() == null
        ? HttpResponseStatus.NOT_IMPLEMENTED
        : HttpResponseStatus.BAD_REQUEST;
  }

  /**
   * Answers in the place of Vert.x, for the last time on this connection.
   *
   * @param place of a handler before the HTTP decoder
   * @param fields further header fields, each with its line end
   * @param body JSON
   */
  public static ChannelFuture lastAnswer(
      ChannelHandlerContext place, HttpResponseStatus status, String fields, String body) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    String head =
        "HTTP/1.1 "
            + status
            + "\r\n"
            + fields
            + "Connection: close\r\nContent-Length: "
            + bytes.length
            + "\r\n\r\n";
    return place.writeAndFlush(
        Unpooled.wrappedBuffer(head.getBytes(StandardCharsets.US_ASCII), bytes));
  }

  /**
   * Waits for it, 10 seconds at most.
   *
   * @throws java.util.concurrent.CompletionException it failed, or took longer
   */
  public static <T> T await(Future<T> future) {
    return future
        .toCompletionStage()
        .toCompletableFuture()
        .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
        .join();
  }
}
