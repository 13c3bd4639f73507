package io.caravan.mailproxy.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.report.ReportCall;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ReportLagTest {
  private static final long NOW = 1_800_000_000_000L;

  @Test
  void an_event_that_is_ahead_of_the_clock_counts_like_any_other() {
    MeterRegistry registry = new SimpleMeterRegistry();
    ReportLag lag = new ReportLag(registry, InstantSource.fixed(Instant.ofEpochMilli(NOW)));

    lag.acknowledged(
        call(new ReportCall.Event(1, 1, NOW - 250), new ReportCall.Event(2, 2, NOW + 3)));

    Timer timer = registry.get("mailproxy.report").timer();
    assertThat(timer.count()).isEqualTo(2);
    assertThat(timer.totalTime(TimeUnit.MILLISECONDS)).isEqualTo(250);
  }

  private static ReportCall call(ReportCall.Event... events) {
    return new ReportCall("acme", "", false, null, "", List.of(events), true, 0);
  }
}
