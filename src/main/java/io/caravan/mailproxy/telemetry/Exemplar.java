package io.caravan.mailproxy.telemetry;

import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * An example of what was measured: whose measurement it was.
 *
 * @param label {@value #MESSAGE} or {@value #TRACE}
 * @param at Unix milliseconds
 */
public record Exemplar(String label, String id, double value, long at) {
  /** Key in the logging context: the client's id of the message at work. */
  public static final String MESSAGE = "message_id";

  /** Key in the logging context: the caller's trace (W3C Trace Context, traceparent). */
  public static final String TRACE = "trace_id";

  /** OpenMetrics allows 128 characters for label names and values of an exemplar together. */
  private static final int MAX_ID = 100;

  /** The example that the thread at work gives; {@code null}: it works for nobody in particular. */
  static @Nullable Exemplar of(double value) {
    Exemplar message = of(MESSAGE, value);
    return message == null ? of(TRACE, value) : message;
  }

  private static @Nullable Exemplar of(String label, double value) {
    String id = MDC.get(label);
    return id == null || id.length() > MAX_ID
        ? null
        : new Exemplar(label, id, value, System.currentTimeMillis());
  }
}
