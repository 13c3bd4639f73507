package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Verdict.Fate;
import java.time.InstantSource;
import org.apache.camel.Exchange;

/** What the retry policy in {@code routes/retry.camel.yaml} may say of a refusal. */
public final class Verdicts {
  /** Exchange property with the delays between attempts: seconds, comma-separated, last repeats. */
  public static final String DELAYS = "retryDelays";

  /** Exchange property with the number of attempts after which a deferral is a failure. */
  public static final String MAX_ATTEMPTS = "retryMaxAttempts";

  private final InstantSource clock;
  private double jitter = 0.1;
  private long maxAgeSeconds = 432_000;

  /**
   * Judges by the clock of the database.
   *
   * @param clock what {@code now_ms()} says in statements
   */
  public Verdicts(InstantSource clock) {
    this.clock = clock;
  }

  /** Share of a delay by which it is lengthened or shortened at random, 0 to 1. */
  public void setJitter(double jitter) {
    if (!(jitter >= 0 && jitter <= 1)) {
      throw new IllegalArgumentException("retry.jitter must be between 0 and 1, not " + jitter);
    }
    this.jitter = jitter;
  }

  /**
   * The delays that the shipped policy uses, to refuse wrong ones at the start.
   *
   * @throws IllegalArgumentException see {@link RetrySchedule#parse}
   */
  public void setDelays(String delays) {
    RetrySchedule.parse(delays, jitter);
  }

  /** Seconds after acceptance at which a message is given up. */
  public void setMaxAgeSeconds(long maxAgeSeconds) {
    this.maxAgeSeconds = maxAgeSeconds;
  }

  /** The recipient will not get the mail. */
  public void failed(Exchange exchange) {
    Answer answer = answer(exchange);
    attempt(exchange).judge(answer, Fate.FAILED, null, answer.said());
  }

  /** Perhaps the recipient has the mail: nothing is done until somebody says. */
  public void held(Exchange exchange) {
    Answer answer = answer(exchange);
    attempt(exchange).judge(answer, Fate.HELD, null, answer.said());
  }

  /** Whether a delivery's time is over. */
  boolean isOver(Delivery delivery) {
    return clock.millis() >= givenUpAt(delivery);
  }

  /** Another attempt follows, unless there were enough or the message's time ends before. */
  public void deferred(Exchange exchange) {
    Answer answer = answer(exchange);
    Attempt attempt = attempt(exchange);
    RetrySchedule schedule =
        RetrySchedule.parse(exchange.getProperty(DELAYS, String.class), jitter);
    int most = exchange.getProperty(MAX_ATTEMPTS, Integer.class);
    long delay = schedule.delayMillis(attempt.getNumber());
    if (attempt.getNumber() >= most) {
      attempt.exhausted();
      attempt.judge(
          answer, Fate.FAILED, null, "Max retries (" + (most - 1) + ") exceeded: " + answer.said());
    } else if (clock.millis() + delay > givenUpAt(attempt.getDelivery())) {
      attempt.exhausted();
      attempt.judge(answer, Fate.EXPIRED, null, "expired: " + answer.said());
    } else {
      attempt.judge(answer, Fate.DEFERRED, delay, answer.said());
    }
  }

  private long givenUpAt(Delivery delivery) {
    long byAge = delivery.acceptedAt() + maxAgeSeconds * 1000;
    Long expires = delivery.loaded().expiresTs();
    return expires == null || expires > byAge / 1000 ? byAge : expires * 1000;
  }

  private static Answer answer(Exchange exchange) {
    return exchange.getMessage().getBody(Answer.class);
  }

  private static Attempt attempt(Exchange exchange) {
    return exchange.getProperty(Attempt.PROPERTY, Attempt.class);
  }
}
