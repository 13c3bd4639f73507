package io.caravan.mailproxy.telemetry;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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

  private static final String RUNNING = "routesRunning";

  private final MeterRegistry registry;
  private @Nullable Meters meters;

  /** The routes that an exchange is in, the innermost last: one property for all of them. */
  private static final class Running {
    private final Exchange exchange;
    private final List<CountedRoute> routes = new ArrayList<>();
    private long[] began = new long[8];

    Running(Exchange exchange) {
      this.exchange = exchange;
    }

    synchronized void begin(CountedRoute route) {
      if (routes.size() == began.length) {
        began = Arrays.copyOf(began, 2 * began.length);
      }
      began[routes.size()] = System.nanoTime();
      routes.add(route);
    }

    /** Nanoseconds since the route began; what it left open inside ends with it. */
    synchronized long end(CountedRoute route) {
      int place = routes.lastIndexOf(route);
      if (place < 0) {
        return 0;
      }
      routes.subList(place, routes.size()).clear();
      return System.nanoTime() - began[place];
    }
  }

  CountedRoute(MeterRegistry registry) {
    this.registry = registry;
  }

  private record Meters(
      Timer timer, Counter total, Counter succeeded, Counter failed, Counter handled) {}

  @Override
  public void onStart(Route route) {
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
    Running running = exchange.getProperty(RUNNING, Running.class);
    if (running == null || running.exchange != exchange) {
      running = new Running(exchange); // a copy of an exchange has the property of its original
      exchange.setProperty(RUNNING, running);
    }
    running.begin(this);
  }

  @Override
  public void onExchangeDone(Route route, Exchange exchange) {
    Meters to = meters;
    Running running = exchange.getProperty(RUNNING, Running.class);
    if (to == null || running == null || running.exchange != exchange) {
      return;
    }
    to.timer().record(running.end(this), TimeUnit.NANOSECONDS);
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
