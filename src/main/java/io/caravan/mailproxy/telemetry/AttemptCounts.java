package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.delivery.Attempt;
import io.caravan.mailproxy.delivery.Attempts;
import io.caravan.mailproxy.message.Counting;
import io.caravan.mailproxy.message.Settled;
import io.caravan.mailproxy.queue.Ended;
import io.caravan.mailproxy.throttle.Decision;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.InstantSource;
import java.util.Locale;
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
  private final Attempts attempts;
  private final Counting counting;
  private final AttemptTimes times;
  private volatile Runnable sentUnattempted = () -> {};

  /**
   * @param attempts whose abandoned ones are counted as well
   * @param clock the database's clock
   */
  public AttemptCounts(
      MeterRegistry registry, Attempts attempts, Counting counting, InstantSource clock) {
    this.registry = registry;
    this.times = new AttemptTimes(registry, clock);
    this.counting = counting;
    this.attempts = attempts;
    attempts.onAbandoned(this::abandoned);
  }

  /** Counts the attempt that was recorded; the body is what it came to. */
  public void recorded(Exchange exchange) {
    Attempt attempt = exchange.getProperty(Attempt.PROPERTY, Attempt.class);
    Settled settled = exchange.getMessage().getBody(Settled.class);
    count(
        attempt,
        attempt.getAccountId(),
        attempt.getThrottleName(),
        attempt.getCountedName(),
        settled.getResultName(),
        () -> further(attempt, settled));
    times.ended(attempt);
    if (attempt.isUncertain()) {
      Telemetry.uncertain(registry, attempt.getAccountId()).increment();
    }
  }

  private void further(Attempt attempt, Settled settled) {
    Decision decision = attempt.decision();
    boolean limited = decision != null && !settled.isLate() && refused(decision);
    String event = eventOf(settled, limited);
    if (event != null) {
      mail(attempt, event);
    }
    if (limited) {
      mail(attempt, "limited");
    }
  }

  /** Counts the attempt that went back because its account takes nothing now. */
  public void paused(Exchange exchange) {
    Attempt attempt = exchange.getProperty(Attempt.PROPERTY, Attempt.class);
    count(attempt, attempts.accountOf(attempt), attempt.getThrottleName(), PAUSE, PAUSE, () -> {});
  }

  /** Counts the attempt whose message was deleted before it could be read. */
  public void dropped(Exchange exchange) {
    Attempt attempt = exchange.getProperty(Attempt.PROPERTY, Attempt.class);
    abandoned(attempt);
  }

  private void abandoned(Attempt attempt) {
    String account = attempts.accountOf(attempt);
    count(attempt, account, Telemetry.NO_RULE, ABANDONED, ABANDONED, () -> {});
  }

  private void mail(Attempt attempt, String event) {
    registry
        .counter(Telemetry.MAIL, Telemetry.ACCOUNT, attempt.getAccountId(), "event", event)
        .increment();
  }

  /** Counts a refusal by its one reason (R8, R9); whether a limit of messages was it. */
  private boolean refused(Decision decision) {
    Decision.Reason reason = decision.reason();
    if (reason == null || decision.answer() != Decision.Answer.CONNMAXOUT) {
      return false;
    }
    registry
        .counter(
            Telemetry.REFUSED,
            "reason",
            reason.name().toLowerCase(Locale.ROOT),
            "by",
            decision.remote() ? "remote" : "local")
        .increment();
    return reason == Decision.Reason.MSGPERHOUR;
  }

  /** Calls back before a message counts as sent without an attempt. */
  void onSentUnattempted(Runnable listener) {
    sentUnattempted = listener;
  }

  /** Counts a message that came to its end without an attempt. */
  public void ended(Ended message) {
    if (message.getFateName().equals("sent")) {
      sentUnattempted.run();
    }
    registry
        .counter(
            Telemetry.MAIL, Telemetry.ACCOUNT, message.accountId(), "event", message.getFateName())
        .increment();
  }

  /** An attempt can be late, or leave recipients to another. */
  private static @Nullable String eventOf(Settled settled, boolean limited) {
    return switch (settled.fate()) {
      case SENT -> "sent";
      case ERROR -> "error";
      case PENDING ->
          switch (settled.result()) {
            case DEFERRAL -> "deferred";
            case CONNMAXOUT -> limited ? "deferred" : null;
            default -> null;
          };
    };
  }

  /** All that is counted of an attempt is counted together, and ends it (R8 to R12, R22). */
  private void count(
      Attempt attempt,
      String account,
      String rule,
      String result,
      String settled,
      Runnable further) {
    String[] ofAccount = {Telemetry.ACCOUNT, account, "result", result, "throttle", rule};
    String[] ofAll = {"queue", attempt.getQueueName(), "result", result, "settled", settled};
    counting.change(
        () -> {
          registry.counter(Telemetry.ATTEMPTS, ofAccount).increment();
          registry.counter(Telemetry.ALL_ATTEMPTS, ofAll).increment();
          further.run();
          attempt.counted();
        });
  }
}
