package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.delivery.Attempt;
import io.caravan.mailproxy.delivery.Attempts;
import io.caravan.mailproxy.message.Settled;
import io.caravan.mailproxy.queue.Ended;
import io.micrometer.core.instrument.MeterRegistry;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/**
 * Counts attempts that ended, once by account and once without: sums must not fall when an account
 * goes; and what they made of the message. A bean: a {@code micrometer:} step evaluates name and
 * value of each tag as Simple, which a profile of delivery shows (bench/README.md).
 */
public final class AttemptCounts {
  /** Of attempts that ended without a result of their own. */
  private static final String ABANDONED = "unknown_report_type";

  private static final String PAUSE = "pause";

  private final MeterRegistry registry;

  /**
   * @param attempts whose abandoned ones are counted as well
   */
  public AttemptCounts(MeterRegistry registry, Attempts attempts) {
    this.registry = registry;
    attempts.onAbandoned((account, queue) -> count(account, queue, ABANDONED, ABANDONED));
  }

  /** Counts the attempt that was recorded; the body is what it came to. */
  public void recorded(Exchange exchange) {
    Attempt attempt = exchange.getProperty(Attempt.PROPERTY, Attempt.class);
    Settled settled = exchange.getMessage().getBody(Settled.class);
    count(
        attempt.getAccountId(),
        attempt.getQueueName(),
        attempt.getCountedName(),
        settled.getResultName());
    String event = eventOf(settled);
    if (event != null) {
      registry
          .counter(Telemetry.MAIL, Telemetry.ACCOUNT, attempt.getAccountId(), "event", event)
          .increment();
    }
  }

  /** Counts the attempt that went back because its account takes nothing now. */
  public void paused(Exchange exchange) {
    Attempt attempt = exchange.getProperty(Attempt.PROPERTY, Attempt.class);
    count(attempt.getAccountId(), attempt.getQueueName(), PAUSE, PAUSE);
  }

  /** Counts a message that came to its end without an attempt. */
  public void ended(Ended message) {
    registry
        .counter(
            Telemetry.MAIL, Telemetry.ACCOUNT, message.accountId(), "event", message.getFateName())
        .increment();
  }

  /** An attempt can be late, or leave recipients to another. */
  private static @Nullable String eventOf(Settled settled) {
    return switch (settled.fate()) {
      case SENT -> "sent";
      case ERROR -> "error";
      case PENDING -> settled.result() == Settled.Result.DEFERRAL ? "deferred" : null;
    };
  }

  private void count(String account, String queue, String result, String settled) {
    registry
        .counter(
            Telemetry.ATTEMPTS,
            Telemetry.ACCOUNT,
            account,
            "result",
            result,
            "throttle",
            Telemetry.NO_RULE)
        .increment();
    registry
        .counter(Telemetry.ALL_ATTEMPTS, "queue", queue, "result", result, "settled", settled)
        .increment();
  }
}
