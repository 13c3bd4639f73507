package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.http.Arrival;
import io.caravan.mailproxy.message.TraceParent;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Route;
import org.apache.camel.component.micrometer.MicrometerConstants;
import org.apache.camel.component.micrometer.routepolicy.MicrometerRoutePolicy;
import org.apache.camel.component.micrometer.routepolicy.MicrometerRoutePolicyConfiguration;
import org.apache.camel.component.micrometer.routepolicy.MicrometerRoutePolicyFactory;
import org.apache.camel.component.micrometer.routepolicy.MicrometerRoutePolicyNamingStrategy;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.RoutePolicy;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Camel's route policy, with one rule of names: the timer of an HTTP route is the documented one of
 * HTTP requests, under the category that the route's {@code group} names. All other routes keep
 * Camel's names, see {@link CountedRoute}.
 */
public final class RouteMeters extends MicrometerRoutePolicyFactory {
  /** Times HTTP requests, by category. */
  static final String REQUESTS = "http.requests";

  private static final String HTTP = "platform-http:";
  private static final String CATEGORY = "category";

  /** Of metrics, status and health. */
  private static final String STATS = "engine_stats";

  /** Of HTTP routes that name no group. */
  private static final String API = "engine_api";

  /** Of requests that reach no route. */
  private static final String OTHER = "other";

  /** The categories that something here can have. */
  private static final List<String> CATEGORIES = List.of("inject", STATS, API, OTHER);

  private final MeterRegistry registry;
  private final boolean camel;

  /**
   * @param camel whether routes that are not for HTTP are measured too ({@code
   *     telemetry.camel-meters})
   */
  public RouteMeters(MeterRegistry registry, boolean camel) {
    this.registry = registry;
    this.camel = camel;
    setMeterRegistry(registry);
    setNamingStrategy(new Names());
    MicrometerRoutePolicyConfiguration configuration = new MicrometerRoutePolicyConfiguration();
    configuration.setContextEnabled(false);
    configuration.setAdditionalCounters(camel);
    setPolicyConfiguration(configuration);
    CATEGORIES.forEach(this::timer);
  }

  /** A request that reached no route was answered, so many nanoseconds after its head. */
  public void unrouted(long nanos) {
    timer(OTHER).record(nanos, TimeUnit.NANOSECONDS);
  }

  /** The listener for Prometheus answered a scrape, so many nanoseconds after its head. */
  public void scraped(long nanos) {
    timer(STATS).record(nanos, TimeUnit.NANOSECONDS);
  }

  private Timer timer(String category) {
    return registry.timer(REQUESTS, CATEGORY, category);
  }

  @Override
  public @Nullable RoutePolicy createRoutePolicy(
      CamelContext context, String routeId, NamedNode route) {
    boolean http =
        route instanceof RouteDefinition definition
            && definition.getInput().getEndpointUri().startsWith(HTTP);
    if (!http) {
      return camel ? new CountedRoute(registry) : null;
    }
    MicrometerRoutePolicy policy = new FromTheHead(this);
    policy.setMeterRegistry(getMeterRegistry());
    policy.setSkipCamelInfo(!camel);
    policy.setNamingStrategy(getNamingStrategy());
    policy.setConfiguration(getPolicyConfiguration());
    return policy;
  }

  private static final class Names implements MicrometerRoutePolicyNamingStrategy {
    @Override
    public String getName(Route route) {
      return REQUESTS;
    }

    @Override
    public Tags getTags(Route route) {
      return Tags.of(CATEGORY, route.getGroup() == null ? API : route.getGroup());
    }
  }

  /** A request's time counts from its head, not from when its body was there and a thread free. */
  private static final class FromTheHead extends MicrometerRoutePolicy {
    FromTheHead(MicrometerRoutePolicyFactory factory) {
      super(factory);
    }

    @Override
    public void onExchangeBegin(Route route, Exchange exchange) {
      super.onExchangeBegin(route, exchange);
      Arrival arrival = Arrival.current();
      if (arrival != null) {
        arrival.route();
        exchange.setProperty(sampleOf(route, exchange), Timer.start(new Since(arrival.at())));
        follow(exchange.getMessage().getHeader(TraceParent.NAME, String.class));
      }
    }

    @Override
    public void onExchangeDone(Route route, Exchange exchange) {
      super.onExchangeDone(route, exchange);
      MDC.remove(Exemplar.TRACE);
    }

    private static void follow(@Nullable String header) {
      TraceParent parent = TraceParent.parse(header);
      if (parent != null) {
        MDC.put(Exemplar.TRACE, parent.traceId());
      }
    }

    /** Where the policy keeps an exchange's sample. */
    private static String sampleOf(Route route, Exchange exchange) {
      return String.join(
          "-",
          MicrometerConstants.DEFAULT_CAMEL_ROUTE_POLICY_METER_NAME,
          route.getId(),
          exchange.getExchangeId());
    }
  }

  /** Tells a moment in the past first, from then on the time as it is. */
  private static final class Since implements Clock {
    private long begin;

    Since(long begin) {
      this.begin = begin;
    }

    @Override
    public long wallTime() {
      return SYSTEM.wallTime();
    }

    @Override
    public long monotonicTime() {
      long told = begin == 0 ? SYSTEM.monotonicTime() : begin;
      begin = 0;
      return told;
    }
  }
}
