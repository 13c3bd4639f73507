package io.caravan.mailproxy.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import io.caravan.mailproxy.http.Json;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Calls sync endpoints: no redirect is followed, one deadline holds for the whole call, at most 64
 * KB of the answer are read (DECISIONS, Reports).
 */
public final class ReportClient {
  private static final int MAX_ANSWER_BYTES = 64 * 1024;
  private static final long MAX_WAIT_SECONDS = 86_400;

  /** Far beyond any time, and in milliseconds still a long. */
  private static final double MAX_TIME_SECONDS = 1e12;

  /** Some JSON libraries write NaN and Infinity as bare words. */
  private static final ObjectReader ANSWERS =
      Json.MAPPER.reader().with(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS);

  private final HttpClient client;
  private final Duration timeout;

  /**
   * A client for all tenants.
   *
   * @param timeoutSeconds for connecting and for the whole call ({@code sync.timeout-seconds})
   */
  public ReportClient(long timeoutSeconds) {
    this.timeout = Duration.ofSeconds(timeoutSeconds);
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(timeout)
            .build();
  }

  /** Makes the call; whatever happens is an answer. */
  public ReportAnswer post(ReportCall call) throws InterruptedException {
    CompletableFuture<HttpResponse<byte[]>> answer = null;
    try {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(call.url()))
              .header("Content-Type", "application/json")
              .POST(HttpRequest.BodyPublishers.ofString(call.body()));
      if (call.authorization() != null) {
        request.header("Authorization", call.authorization());
      }
      answer = client.sendAsync(request.build(), head -> new FirstBytes(MAX_ANSWER_BYTES));
      return read(answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS));
    } catch (TimeoutException e) {
      answer.cancel(true);
      return ReportAnswer.unanswered("no answer within " + timeout.toSeconds() + " s");
    } catch (ExecutionException e) {
      return ReportAnswer.unanswered(
          "call to " + URI.create(call.url()).getAuthority() + " failed: " + why(e));
    } catch (IllegalArgumentException e) {
      return ReportAnswer.refused("the sync URL or its credentials cannot be used", null);
    }
  }

  /** In words that tell an unknown host from a closed port; nothing of URL or credentials. */
  private static String why(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof UnresolvedAddressException) {
      return "unknown host";
    }
    String words = cause.getMessage();
    return cause instanceof ClosedChannelException || words == null
        ? "no connection"
        : cause.getClass().getSimpleName() + ", " + words;
  }

  private static ReportAnswer read(HttpResponse<byte[]> response) {
    if (response.statusCode() / 100 != 2) {
      return ReportAnswer.refused(
          "HTTP status " + response.statusCode(),
          seconds(response.headers().firstValue("Retry-After").orElse(null)));
    }
    if (response.body().length == MAX_ANSWER_BYTES) {
      return ReportAnswer.refused("the answer is too long", null);
    }
    String text = new String(response.body(), StandardCharsets.UTF_8);
    if (text.isBlank()) {
      return ReportAnswer.taken();
    }
    try {
      JsonNode body = ANSWERS.readTree(text);
      if (!body.isObject()) {
        return ReportAnswer.refused("the answer is no JSON object", null);
      }
      if (body.path("ok").isBoolean() && !body.path("ok").booleanValue()) {
        return ReportAnswer.refused("the answer says ok: false", null);
      }
      long queued = body.path("queued").isIntegralNumber() ? body.path("queued").longValue() : 0;
      return new ReportAnswer(
          true, "", false, Math.max(0, queued), quietUntil(body.path("next_sync_after")), null);
    } catch (JsonProcessingException e) {
      return ReportAnswer.refused("the answer is no JSON object", null);
    }
  }

  /** A number or its text; what is no time within reach is not heard (reliability-security F38). */
  private static @Nullable Long quietUntil(JsonNode node) {
    double seconds = node.isNumber() || node.isTextual() ? node.asDouble(Double.NaN) : Double.NaN;
    return Double.isFinite(seconds) && seconds > 0
        ? Long.valueOf((long) Math.min(seconds, MAX_TIME_SECONDS))
        : null;
  }

  /** Seconds, or a date (RFC 9110 section 10.2.3). */
  private static @Nullable Long seconds(@Nullable String retryAfter) {
    if (retryAfter == null) {
      return null;
    }
    String text = retryAfter.strip();
    try {
      long seconds =
          text.chars().allMatch(c -> c >= '0' && c <= '9')
              ? Long.parseLong(text)
              : Duration.between(
                      Instant.now(),
                      DateTimeFormatter.RFC_1123_DATE_TIME.parse(text, Instant::from))
                  .toSeconds();
      return Math.max(0, Math.min(MAX_WAIT_SECONDS, seconds));
    } catch (NumberFormatException | DateTimeException e) {
      return null;
    }
  }
}
