package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.delivery.Attempt;
import io.caravan.mailproxy.delivery.OutgoingMail;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.QueueName;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** How old deliveries are when their attempts begin, and what an attempt's time goes to. */
final class AttemptTimes {
  private static final Phase[] PHASES = {
    Phase.CONNECT, Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT
  };

  private final Map<String, Timer> queues = new HashMap<>();
  private final Map<Phase, Timer> phases = new EnumMap<>(Phase.class);
  private final InstantSource clock;

  AttemptTimes(MeterRegistry registry, InstantSource clock) {
    this.clock = clock;
    for (QueueName queue : QueueName.values()) {
      queues.put(
          queue.label(),
          Timer.builder("mailproxy.queue")
              .tag("queue", queue.label())
              .description("Time from a message's acceptance to the start of an attempt")
              .register(registry));
    }
    for (Phase phase : PHASES) {
      phases.put(
          phase,
          Timer.builder("mailproxy.attempt")
              .tag("phase", phase.name().toLowerCase(Locale.ROOT))
              .description(
                  "Time of an attempt by phase; connect is until a session stands, a kept one or new")
              .register(registry));
    }
  }

  /** An attempt is recorded. */
  void ended(Attempt attempt) {
    Timer queue = queues.get(attempt.getQueueName());
    if (queue != null) {
      long begun = clock.millis() - attempt.millis();
      long age = begun - attempt.getDelivery().acceptedAt();
      queue.record(Math.max(0, age), TimeUnit.MILLISECONDS);
    }
    @Nullable OutgoingMail mail = attempt.mail();
    if (mail != null) {
      phases.forEach(
          (phase, timer) -> {
            long nanos = mail.nanos(phase);
            if (nanos > 0) {
              timer.record(nanos, TimeUnit.NANOSECONDS);
            }
          });
    }
  }
}
