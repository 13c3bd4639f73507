package io.caravan.mailproxy.telemetry;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.Route;
import org.apache.camel.component.micrometer.routepolicy.MicrometerRoutePolicyNamingStrategy;
import org.apache.camel.support.ExchangeHelper;
import org.apache.camel.support.RoutePolicySupport;
import org.jspecify.annotations.Nullable;

/**
 * Counts and times one route under the names of Camel's own policy, without the three texts that it
 * formats for each exchange: a message passes ten routes.
 */
final class CountedRoute extends RoutePolicySupport {
  private static final MicrometerRoutePolicyNamingStrategy NAMES =
      MicrometerRoutePolicyNamingStrategy.DEFAULT;

  private final MeterRegistry registry;
  private String began = "";
  private @Nullable Meters meters;

  CountedRoute(MeterRegistry registry) {
    this.registry = registry;
  }

  private record Meters(
      Timer timer, Counter total, Counter succeeded, Counter failed, Counter handled) {}

  @Override
  public void onStart(Route route) {
    began = "began-" + route.getId();
    meters =
        new Meters(
            Timer.builder(NAMES.getName(route))
                .tags(NAMES.getTags(route))
                .description("Time that exchanges took in a route")
                .register(registry),
            counter(route, NAMES.getExchangesTotalName(route), "Exchanges of a route"),
            counter(route, NAMES.getExchangesSucceededName(route), "Exchanges that succeeded"),
            counter(route, NAMES.getExchangesFailedName(route), "Exchanges that failed"),
            counter(route, NAMES.getFailuresHandledName(route), "Failures that a route handled"));
  }

  private Counter counter(Route route, String name, String description) {
    return Counter.builder(name)
        .tags(NAMES.getExchangeStatusTags(route))
        .description(description)
        .register(registry);
  }

  @Override
  public void onExchangeBegin(Route route, Exchange exchange) {
    exchange.setProperty(began, System.nanoTime());
  }

  @Override
  public void onExchangeDone(Route route, Exchange exchange) {
    Meters to = meters;
    if (to == null || !(exchange.removeProperty(began) instanceof Long start)) {
      return;
    }
    to.timer().record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
    to.total().increment();
    if (exchange.isFailed()) {
      to.failed().increment();
    } else {
      to.succeeded().increment();
      if (ExchangeHelper.isFailureHandled(exchange)) {
        to.handled().increment();
      }
    }
  }
}
