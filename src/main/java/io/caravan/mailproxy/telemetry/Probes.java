package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.http.IntakeRoom;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.queue.Lanes;
import io.caravan.mailproxy.queue.Outbox;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/**
 * The steps of the probe routes. A probe takes room like a message and waits like one; where there
 * is no room it leaves no sample, and the absence of samples is the alarm (telemetry.md 4).
 */
public final class Probes {
  private static final String INTAKE = "probe.intake";
  private static final String DELIVERY = "probe.delivery";

  /** Probes under way at the same time. */
  private static final int MAX_UNDER_WAY = 4;

  private final MeterRegistry registry;
  private final List<Probe.Path> wanted = new ArrayList<>();
  private final IntakeRoom room;
  private final Outbox outbox;
  private final Lanes lanes;
  private final AtomicInteger underWay = new AtomicInteger();

  /** Probes run only for families that are exposed. */
  public Probes(
      MeterRegistry registry, Catalogue catalogue, IntakeRoom room, Outbox outbox, Lanes lanes) {
    this.registry = registry;
    this.room = room;
    this.outbox = outbox;
    this.lanes = lanes;
    for (Catalogue.Family family : catalogue.families()) {
      switch (family.meter()) {
        case INTAKE -> wanted.add(Probe.Path.INTAKE);
        case DELIVERY -> wanted.add(Probe.Path.DELIVERY);
        default -> {}
      }
    }
  }

  /** The probes of a round. */
  public List<Probe> due() {
    return underWay.get() >= MAX_UNDER_WAY ? List.of() : wanted.stream().map(Probe::new).toList();
  }

  /**
   * Takes the way of a message from intake to the disk.
   *
   * @return what goes to the ram queue; {@code null}: this probe ends here
   */
  public @Nullable Delivery store(Exchange exchange) {
    Probe probe = exchange.getMessage().getBody(Probe.class);
    exchange.setProperty(Probe.PROPERTY, probe);
    try {
      room.enterMessages(1);
    } catch (Problem full) {
      return null;
    }
    try {
      outbox.probe();
    } finally {
      room.leaveMessages(1);
    }
    if (probe.path() == Probe.Path.INTAKE) {
      measured(INTAKE, probe);
      return null;
    }
    Delivery delivery = Probe.delivery();
    if (!lanes.reserve(delivery.lane(), delivery.priority(), delivery.bytes())) {
      return null;
    }
    underWay.incrementAndGet();
    return delivery;
  }

  /** A slot took it: a message would be connected next. */
  public void arrived(Exchange exchange) {
    measured(DELIVERY, exchange.getProperty(Probe.PROPERTY, Probe.class));
    Delivery delivery = exchange.getMessage().getBody(Delivery.class);
    underWay.decrementAndGet();
    lanes.finish(delivery);
    lanes.release(delivery);
  }

  private void measured(String meter, Probe probe) {
    registry.timer(meter).record(probe.age(), TimeUnit.NANOSECONDS);
  }
}
