package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.report.ReportCall;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;

/** How long events wait until their application has acknowledged them. */
public final class ReportLag {
  private final Timer lag;
  private final InstantSource clock;

  /**
   * @param clock the database's clock
   */
  public ReportLag(MeterRegistry registry, InstantSource clock) {
    this.clock = clock;
    this.lag =
        Timer.builder("mailproxy.report")
            .description("Time from an event to its acknowledgement by the application")
            .register(registry);
  }

  /** The events of a call are acknowledged. */
  public void acknowledged(ReportCall call) {
    long now = clock.millis();
    for (ReportCall.Event event : call.events()) {
      // an event may be a moment ahead of this clock, and a timer drops what is below 0
      lag.record(Math.max(0, now - event.at()), TimeUnit.MILLISECONDS);
    }
  }
}
