package io.caravan.mailproxy.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import io.caravan.mailproxy.http.Json;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/** What a sync endpoint's HTTP answer says (DECISIONS, Reports; genro-api 4.3). */
final class AnswerReader {
  private static final long MAX_WAIT_SECONDS = 86_400;

  /** Far beyond any time, and in milliseconds still a long. */
  private static final double MAX_TIME_SECONDS = 1e12;

  /** Some JSON libraries write NaN and Infinity as bare words. */
  private static final ObjectReader ANSWERS =
      Json.MAPPER.reader().with(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS);

  private AnswerReader() {}

  /** Of a status that is not 2xx. */
  static ReportAnswer refusal(int status, @Nullable String retryAfter) {
    return ReportAnswer.refused("HTTP status " + status, seconds(retryAfter));
  }

  /** Of the body that came with a 2xx. */
  static ReportAnswer body(String text) {
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
