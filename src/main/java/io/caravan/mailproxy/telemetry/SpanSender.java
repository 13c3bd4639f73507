package io.caravan.mailproxy.telemetry;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings spans to a collector by OTLP/HTTP, several in a call. Whoever has a span to give never
 * waits: what finds no place is dropped.
 */
final class SpanSender {
  /** Spans of one call. */
  private static final int MAX_BATCH = 512;

  private static final long FIRST_PAUSE_SECONDS = 1;
  private static final long MAX_PAUSE_SECONDS = 30;

  /** Answers after which a call is made again (OTLP specification 1.x, OTLP/HTTP Response). */
  private static final Set<Integer> RETRYABLE = Set.of(429, 502, 503, 504);

  private static final Logger LOG = LoggerFactory.getLogger(SpanSender.class);

  private final BlockingQueue<Span> waiting;
  private final List<Span> batch = new ArrayList<>();
  private final LongAdder sent = new LongAdder();
  private final LongAdder dropped = new LongAdder();
  private final SpanEncoder encoder;
  private final HttpClient client;
  private final HttpRequest.Builder call;
  private final URI endpoint;
  private final long timeoutNanos;
  private volatile boolean closed;
  private String trouble = "";
  private long pauseSeconds;
  private long nextCall = System.nanoTime();

  private enum Result {
    TAKEN,
    REFUSED,
    UNANSWERED
  }

  /**
   * @param endpoint where the calls go
   * @param headers go with each call
   * @param timeout of one call, connecting included
   * @param max spans that wait at the same time, 1 and more
   * @throws IllegalArgumentException a header cannot be set
   */
  SpanSender(
      URI endpoint, Map<String, String> headers, Duration timeout, int max, SpanEncoder encoder) {
    this.endpoint = endpoint;
    this.waiting = new ArrayBlockingQueue<>(max);
    this.timeoutNanos = timeout.toNanos();
    this.encoder = encoder;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout)
            .build();
    this.call = HttpRequest.newBuilder(endpoint).header("Content-Type", "application/x-protobuf");
    headers.forEach(call::setHeader);
  }

  /** Takes a span, or drops it; returns at once. Safe for any number of threads. */
  void offer(Span span) {
    if (closed || !waiting.offer(span)) {
      dropped.increment();
    }
  }

  /** Spans that the collector took. */
  double sent() {
    return sent.sum();
  }

  /** Spans that found no place, that the collector refused, or that were left at the end. */
  double dropped() {
    return dropped.sum();
  }

  /**
   * Makes calls until nothing waits, or one fails. What got no answer is sent again after a pause
   * that doubles, up to {@value #MAX_PAUSE_SECONDS} s; meanwhile others wait, as many as have room.
   */
  synchronized void flush() {
    if (System.nanoTime() - nextCall >= 0) {
      flush(Long.MAX_VALUE);
    }
  }

  /** Takes no further span; sends what waits within this time, and drops the rest. */
  synchronized void close(Duration within) {
    closed = true;
    flush(within.toNanos());
    int left = batch.size() + waiting.size();
    dropped.add(left);
    batch.clear();
    waiting.clear();
    if (left > 0) {
      LOG.warn("{} spans did not get to the trace collector before the stop", left);
    }
  }

  private void flush(long nanos) {
    long begin = System.nanoTime();
    while (true) {
      long left = nanos - (System.nanoTime() - begin);
      if (batch.isEmpty()) {
        waiting.drainTo(batch, MAX_BATCH);
      }
      if (batch.isEmpty() || left <= 0) {
        return;
      }
      Result result = send(Math.min(left, timeoutNanos));
      if (result == Result.UNANSWERED) {
        pauseSeconds = Math.min(MAX_PAUSE_SECONDS, Math.max(FIRST_PAUSE_SECONDS, 2 * pauseSeconds));
        nextCall = System.nanoTime() + TimeUnit.SECONDS.toNanos(pauseSeconds);
        return;
      }
      (result == Result.TAKEN ? sent : dropped).add(batch.size());
      batch.clear();
      pauseSeconds = 0;
    }
  }

  private Result send(long nanos) {
    HttpRequest request =
        call.POST(HttpRequest.BodyPublishers.ofByteArray(encoder.encode(batch))).build();
    CompletableFuture<HttpResponse<Void>> answer =
        client.sendAsync(request, HttpResponse.BodyHandlers.discarding());
    try {
      int status = answer.get(nanos, TimeUnit.NANOSECONDS).statusCode();
      boolean taken = status / 100 == 2;
      tell(taken ? "" : "it answers " + status);
      return taken ? Result.TAKEN : RETRYABLE.contains(status) ? Result.UNANSWERED : Result.REFUSED;
    } catch (TimeoutException e) {
      tell("no answer in time");
    } catch (ExecutionException e) {
      tell(e.getCause() instanceof IOException io ? io.toString() : "" + e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      answer.cancel(true);
    }
    return Result.UNANSWERED;
  }

  /** Says what is wrong with the collector when that begins, and when it ends. */
  private void tell(String now) {
    if (trouble.isEmpty() && !now.isEmpty()) {
      LOG.warn("Trace collector {} does not take spans: {}", endpoint.getAuthority(), now);
    } else if (!trouble.isEmpty() && now.isEmpty()) {
      LOG.info("Trace collector {} takes spans again", endpoint.getAuthority());
    }
    trouble = now;
  }
}
