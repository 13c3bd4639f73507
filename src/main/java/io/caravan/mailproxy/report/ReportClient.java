package io.caravan.mailproxy.report;

import io.caravan.mailproxy.net.AddressGuard;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Calls sync endpoints: at an address that the guard saw, without a proxy of the system, no
 * redirect is followed, one deadline holds for the whole call, at most 64 KB of the answer are read
 * (DECISIONS, Reports and Guards).
 */
public final class ReportClient {
  private static final int MAX_ANSWER_BYTES = 64 * 1024;

  /** Calls at the same time are limited by who makes them. */
  private static final int MAX_CONNECTIONS = 1_000;

  /** Threads, each of which waits for DNS. */
  private static final int LOOKUPS = 16;

  private static final int KEPT_SECONDS = 15;
  private static final int HTTP = 80;
  private static final int HTTPS = 443;

  private final WorkerExecutor lookups;
  private final HttpClient client;
  private final AddressGuard guard;
  private final Duration timeout;

  /**
   * A client for all tenants.
   *
   * @param guard says which addresses a guarded call may go to
   * @param timeoutSeconds for connecting and for the whole call ({@code sync.timeout-seconds})
   */
  public ReportClient(Vertx vertx, AddressGuard guard, int timeoutSeconds) {
    this.lookups = vertx.createSharedWorkerExecutor("report-lookup", LOOKUPS);
    this.guard = guard;
    this.timeout = Duration.ofSeconds(timeoutSeconds);
    this.client =
        vertx.createHttpClient(
            new HttpClientOptions()
                .setConnectTimeout((int) timeout.toMillis())
                .setKeepAliveTimeout(KEPT_SECONDS),
            new PoolOptions().setHttp1MaxSize(MAX_CONNECTIONS));
  }

  /** Makes the call; whatever happens is an answer. */
  public ReportAnswer post(ReportCall call) throws InterruptedException {
    URI uri = URI.create(call.url());
    if (call.authorization() != null && !call.authorization().matches("[ -~]*")) {
      return ReportAnswer.refused("the credentials cannot be sent in a header", null);
    }
    AtomicReference<@Nullable HttpClientRequest> made = new AtomicReference<>();
    AtomicBoolean over = new AtomicBoolean();
    CompletableFuture<ReportAnswer> answer =
        lookups
            .executeBlocking(() -> guard.addresses(uri.getHost(), call.guarded()), false)
            .compose(addresses -> connected(uri, addresses, 0))
            .compose(
                request -> {
                  made.set(request);
                  return over.get() ? tooLate(request) : answer(request, call);
                })
            .toCompletionStage()
            .toCompletableFuture();
    try {
      return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return ReportAnswer.unanswered("no answer within " + timeout.toSeconds() + " s");
    } catch (ExecutionException e) {
      return ReportAnswer.unanswered("call to " + uri.getAuthority() + " failed: " + why(e));
    } finally {
      over.set(true);
      HttpClientRequest request = made.get();
      if (request != null && !answer.isDone()) {
        request.reset();
      }
    }
  }

  /** The connection stood after the deadline: nothing is told on it. */
  private static Future<ReportAnswer> tooLate(HttpClientRequest request) {
    request.reset();
    return Future.failedFuture("too late");
  }

  /** A request on a connection to the first of the addresses that takes one. */
  private Future<HttpClientRequest> connected(URI uri, InetAddress[] addresses, int index) {
    boolean tls = "https".equalsIgnoreCase(uri.getScheme());
    int port = uri.getPort() >= 0 ? uri.getPort() : tls ? HTTPS : HTTP;
    String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
    RequestOptions options =
        new RequestOptions()
            .setMethod(HttpMethod.POST)
            .setServer(
                SocketAddress.inetSocketAddress(new InetSocketAddress(addresses[index], port)))
            .setHost(uri.getHost())
            .setPort(port)
            .setSsl(tls)
            .setURI((uri.getRawPath().isEmpty() ? "/" : uri.getRawPath()) + query);
    Future<HttpClientRequest> request = client.request(options);
    return index + 1 == addresses.length
        ? request
        : request.recover(refused -> connected(uri, addresses, index + 1));
  }

  private static Future<ReportAnswer> answer(HttpClientRequest request, ReportCall call) {
    request.putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
    if (call.authorization() != null) {
      request.putHeader(HttpHeaders.AUTHORIZATION, call.authorization());
    }
    return request.send(call.body()).compose(ReportClient::answer);
  }

  private static Future<ReportAnswer> answer(HttpClientResponse response) {
    boolean refused = response.statusCode() / 100 != 2;
    ReportAnswer refusal =
        AnswerReader.refusal(response.statusCode(), response.getHeader(HttpHeaders.RETRY_AFTER));
    Promise<ReportAnswer> answer = Promise.promise();
    Buffer body = Buffer.buffer();
    response.exceptionHandler(answer::tryFail);
    response.endHandler(
        end ->
            answer.tryComplete(
                refused ? refusal : AnswerReader.body(body.toString(StandardCharsets.UTF_8))));
    response.handler(
        part -> {
          if (body.length() + part.length() < MAX_ANSWER_BYTES) {
            body.appendBuffer(part);
          } else if (answer.tryComplete(
              refused ? refusal : ReportAnswer.refused("the answer is too long", null))) {
            response.request().reset();
          }
        });
    return answer.future();
  }

  /** In words that tell an unknown host from a closed port; nothing of URL or credentials. */
  private static String why(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String words = cause.getMessage();
    if (cause instanceof UnknownHostException) {
      return words != null && words.startsWith("blocked_address") ? words : "unknown host";
    }
    return cause instanceof ClosedChannelException || words == null
        ? "no connection"
        : cause.getClass().getSimpleName() + ", " + words;
  }
}
