package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.message.Account;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.config.MeterFilterReply;
import io.micrometer.core.instrument.config.NamingConvention;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.core.instrument.distribution.pause.PauseDetector;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The registry behind all meters, bound as {@code metricsRegistry}: keeps names as they are, gives
 * every account its series from the moment it exists and takes them when it goes, and bounds how
 * many series a documented meter may have.
 */
public final class Telemetry extends SimpleMeterRegistry {
  /** Tag of everything that is counted by account. */
  public static final String ACCOUNT = "account";

  /** Counts attempts that ended, by account, throttle and result. */
  public static final String ATTEMPTS = "attempts";

  /**
   * The same without the account, by queue, result and how they were settled: sums must not fall
   * when an account goes.
   */
  public static final String ALL_ATTEMPTS = "attempts.all";

  /** Counts attempts without leave, by reason and by who decided. */
  public static final String REFUSED = "attempts.refused";

  /** Of attempts that no throttle rule of their own was used for (first seed: relays always). */
  public static final String NO_RULE = "__default";

  /** Counts what became of mail, by account and event. */
  public static final String MAIL = "mail";

  private static final String UNCERTAIN = "mailproxy.attempts.uncertain";

  /** What meters beyond the documented ones begin with; their timers have buckets too. */
  private static final String OWN = "mailproxy.";

  private static final List<String> EVENTS = List.of("sent", "error", "deferred", "limited");
  private static final List<String> RESULTS =
      List.of(
          "success",
          "failure",
          "deferral",
          "connmaxout",
          "dump",
          "pause",
          "unknown_report_type",
          "unknown_report_code");

  private static final String CAMEL_CONTEXT = "camelContext";
  private static final Logger LOG = LoggerFactory.getLogger(Telemetry.class);

  private final Set<String> histograms;
  private final Map<String, AtomicInteger> series;
  private final Map<String, Boolean> accounts = new ConcurrentHashMap<>();
  private final LongAdder dropped = new LongAdder();
  private final Set<String> full = ConcurrentHashMap.newKeySet();
  private final int maxSeries;

  /**
   * Sets up the series that exist before anything happened.
   *
   * @param maxSeries series of one documented meter, at most ({@code telemetry.max-series}); what
   *     is beyond is not counted but as dropped
   * @param jvm whether the meters of the virtual machine ride along ({@code telemetry.jvm-meters})
   */
  public Telemetry(Registry registry, Catalogue catalogue, int maxSeries, boolean jvm) {
    super(SimpleConfig.DEFAULT, Clock.SYSTEM);
    this.maxSeries = maxSeries;
    this.histograms =
        catalogue.all().stream()
            .filter(family -> family.type() == Catalogue.Type.HISTOGRAM)
            .map(Catalogue.Family::meter)
            .collect(Collectors.toUnmodifiableSet());
    this.series =
        catalogue.all().stream()
            .map(Catalogue.Family::meter)
            .distinct()
            .collect(Collectors.toUnmodifiableMap(name -> name, name -> new AtomicInteger()));
    config()
        .namingConvention(NamingConvention.identity)
        .meterFilter(new WithoutContext())
        .meterFilter(new Bounds());
    config().onMeterRemoved(this::forget);
    FunctionCounter.builder("telemetry.series.dropped", dropped, LongAdder::sum)
        .description("Updates of series that telemetry.max-series left no room for")
        .register(this);
    for (String result : RESULTS) {
      counter(ALL_ATTEMPTS, "queue", "ram", "result", result, "settled", result);
    }
    for (String reason : List.of("maxconn", "msgperhour", "maxunacknowledged")) {
      counter(REFUSED, "reason", reason, "by", "local");
      counter(REFUSED, "reason", reason, "by", "remote");
    }
    registry.listen(new Accounts());
    if (jvm) {
      bindJvm(this);
    }
  }

  /** Counts attempts of which nobody knows whether they were delivered, by account. */
  static Counter uncertain(MeterRegistry registry, String accountId) {
    return Counter.builder(UNCERTAIN)
        .description("Attempts of which nobody knows whether they were delivered")
        .tag("account_id", accountId)
        .register(registry);
  }

  @Override
  protected Counter newCounter(Meter.Id id) {
    return series.containsKey(id.getName()) ? new TracedCounter(id) : super.newCounter(id);
  }

  @Override
  protected Timer newTimer(
      Meter.Id id, DistributionStatisticConfig config, PauseDetector pauseDetector) {
    return histograms.contains(id.getName()) || id.getName().startsWith(OWN)
        ? new Histogram(id, clock)
        : super.newTimer(id, config, pauseDetector);
  }

  private void forget(Meter meter) {
    AtomicInteger count = series.get(meter.getId().getName());
    if (count != null) {
      count.decrementAndGet();
    }
  }

  /** The series of accounts: all of them at 0 from the start, none of them when it is gone. */
  private final class Accounts implements Registry.Listener {
    @Override
    public void added(Account account) {
      accounts.put(account.id(), true);
      uncertain(Telemetry.this, account.id());
      EVENTS.forEach(event -> counter(MAIL, ACCOUNT, account.id(), "event", event));
      for (String result : RESULTS) {
        counter(
            ATTEMPTS, ACCOUNT, account.id(), "queue", "ram", "result", result, "throttle", NO_RULE);
      }
    }

    @Override
    public void gone(Account account) {
      accounts.remove(account.id());
      find(UNCERTAIN).tag("account_id", account.id()).meters().forEach(Telemetry.this::remove);
      for (String meter : series.keySet()) {
        find(meter).tag(ACCOUNT, account.id()).meters().forEach(Telemetry.this::remove);
      }
    }
  }

  /** Camel's own tag says nothing here: there is one context. */
  private static final class WithoutContext implements MeterFilter {
    @Override
    public Meter.Id map(Meter.Id id) {
      return id.getTag(CAMEL_CONTEXT) == null
          ? id
          : id.replaceTags(
              Tags.of(
                  id.getTags().stream()
                      .filter(tag -> !tag.getKey().equals(CAMEL_CONTEXT))
                      .toList()));
    }
  }

  /** No series of accounts that do not exist, and of no meter more than there may be. */
  private final class Bounds implements MeterFilter {
    @Override
    public MeterFilterReply accept(Meter.Id id) {
      AtomicInteger count = series.get(id.getName());
      if (count == null) {
        return MeterFilterReply.NEUTRAL;
      }
      String account = id.getTag(ACCOUNT);
      if (account != null && !accounts.containsKey(account)) {
        return MeterFilterReply.DENY;
      }
      if (count.get() >= maxSeries) {
        if (full.add(id.getName())) {
          LOG.warn("Meter {} has {} series, more are not counted", id.getName(), maxSeries);
        }
        dropped.increment();
        return MeterFilterReply.DENY;
      }
      count.incrementAndGet();
      return MeterFilterReply.NEUTRAL;
    }
  }

  @SuppressWarnings("resource") // lives as long as the process
  private static void bindJvm(MeterRegistry registry) {
    new ClassLoaderMetrics().bindTo(registry);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmGcMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
  }
}
