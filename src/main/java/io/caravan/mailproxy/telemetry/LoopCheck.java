package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.queue.Claims;
import io.caravan.mailproxy.report.Reports;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/** Down when a background loop has not begun a round for too long. */
public final class LoopCheck extends AbstractHealthCheck {
  private final DoubleSupplier secondsSinceRound;
  private final double limit;

  /**
   * Watches the loop that claims due deliveries.
   *
   * @param limit seconds without a round after which it counts as stalled
   */
  public LoopCheck(Claims claims, double limit) {
    this("claim-loop", claims::secondsSinceRound, limit);
  }

  /**
   * Watches the loop that calls sync endpoints.
   *
   * @param limit seconds without a round after which it counts as stalled
   */
  public LoopCheck(Reports reports, double limit) {
    this("report-loop", reports::secondsSinceRound, limit);
  }

  private LoopCheck(String name, DoubleSupplier secondsSinceRound, double limit) {
    super("mail-proxy", name);
    this.secondsSinceRound = secondsSinceRound;
    this.limit = limit;
  }

  @Override
  public boolean isLiveness() {
    return false;
  }

  @Override
  protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
    double seconds = secondsSinceRound.getAsDouble();
    builder.detail("seconds_since_round", seconds);
    if (seconds > limit) {
      builder.message("no round for " + Math.round(seconds) + " s").down();
    } else {
      builder.up();
    }
  }
}
