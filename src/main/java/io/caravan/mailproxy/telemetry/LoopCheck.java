package io.caravan.mailproxy.telemetry;

import java.util.Map;
import java.util.function.DoubleSupplier;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/** Down when a background loop has not begun a round for too long. */
abstract class LoopCheck extends AbstractHealthCheck {
  private final String route;
  private final DoubleSupplier secondsSinceRound;
  private final long limit;

  /**
   * Watches one loop.
   *
   * @param name the check's name in {@code /health/ready}
   * @param route the loop's route; a route that is switched off does not stall
   * @param limit seconds without a round after which it counts as stalled
   */
  LoopCheck(String name, String route, DoubleSupplier secondsSinceRound, long limit) {
    super("mail-proxy", name);
    this.route = route;
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
    if (getCamelContext().getRoute(route) == null) {
      builder.message("switched off").up();
    } else if (seconds > limit) {
      builder.message("no round for " + Math.round(seconds) + " s").down();
    } else {
      builder.up();
    }
  }
}
