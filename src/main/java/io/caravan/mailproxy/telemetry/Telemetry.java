package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.queue.Outbox;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.config.NamingConvention;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;

/**
 * The registry behind all meters, bound as {@code metricsRegistry}: keeps documented names as they
 * are, and gives every account its series from the moment it exists.
 */
public final class Telemetry extends SimpleMeterRegistry {
  private static final String CAMEL_CONTEXT = "camelContext";
  private static final String PENDING = "gmp_pending_messages";
  private static final String ACCOUNT = "account_id";
  private static final List<String> PER_ACCOUNT =
      List.of("gmp_sent_total", "gmp_errors_total", "gmp_deferred_total", "gmp_rate_limited_total");

  /** Sets up the series that exist before anything happened. */
  public Telemetry(Registry registry, Outbox outbox) {
    config().namingConvention(NamingConvention.identity).meterFilter(withoutContext());
    Gauge.builder(PENDING, outbox, Outbox::pending).register(this);
    registry.listen(
        new Registry.Listener() {
          @Override
          public void added(Account account) {
            PER_ACCOUNT.forEach(name -> counter(name, ACCOUNT, account.id()));
          }

          @Override
          public void gone(Account account) {
            PER_ACCOUNT.forEach(
                name -> {
                  Meter meter = find(name).tag(ACCOUNT, account.id()).counter();
                  if (meter != null) {
                    remove(meter);
                  }
                });
          }
        });
    bindJvm(this);
  }

  private static MeterFilter withoutContext() {
    return new MeterFilter() {
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
    };
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
