package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.delivery.ConnectionCounts;
import io.caravan.mailproxy.delivery.DeliveryQueue;
import io.caravan.mailproxy.delivery.SlotCounts;
import io.caravan.mailproxy.delivery.Slots;
import io.caravan.mailproxy.delivery.SmtpPool;
import io.caravan.mailproxy.http.IntakeRoom;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.QueueName;
import io.caravan.mailproxy.queue.Lanes;
import io.caravan.mailproxy.queue.Outbox;
import io.caravan.mailproxy.queue.Room;
import io.caravan.mailproxy.report.Destination;
import io.caravan.mailproxy.report.Reports;
import io.caravan.mailproxy.throttle.Throttle;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * The meters that read what a part of the proxy keeps anyway. What a route's own steps count is not
 * here: those are its {@code micrometer:} steps.
 */
public final class Sources {
  /** The name of the ledger of permits in label {@code proxy}. */
  private static final String LEDGER = "database";

  private static final double MILLIS = 1e3;

  private final MeterRegistry registry;
  private final Registry accounts;
  private final InstantSource clock;

  /**
   * Meters into a registry.
   *
   * @param clock the database's clock
   */
  public Sources(MeterRegistry registry, Registry accounts, InstantSource clock) {
    this.clock = clock;
    this.registry = registry;
    this.accounts = accounts;
  }

  /** What is in memory, and how far the queue lags behind. */
  public void setLanes(Lanes lanes) {
    gauge("queue.ram.batches", lanes.room(), Room::firsts);
    gauge("queue.ram.batches.max", lanes.room(), Room::maxHeld);
    gauge("queue.ram.bytes", lanes.room(), Room::firstBytes);
    gauge("queue.ram.bytes.max", lanes.room(), Room::maxBytes);
    gauge("queue.disk.catchup", lanes, Lanes::catchUp);
  }

  /** How late the earliest due delivery is. */
  public void setBacklog(Backlog backlog) {
    gauge("queue.disk.delay", backlog, Backlog::delaySeconds);
    oldest(QueueName.DISK, backlog, Backlog::delaySeconds);
  }

  /** What is being taken in. */
  public void setIntakeRoom(IntakeRoom room) {
    gauge("intake.messages", room, IntakeRoom::messages);
    gauge("intake.messages.max", room, IntakeRoom::maxMessages);
    gauge("intake.bytes", room, IntakeRoom::bytes);
    gauge("intake.bytes.max", room, IntakeRoom::maxBytes);
  }

  /** What is not final yet; messages that came in are counted by their route. */
  public void setOutbox(Outbox outbox) {
    gauge("mail.pending", outbox, Outbox::pending);
    registry.counter("messages.new");
    Timer commit =
        Timer.builder("mailproxy.commit")
            .description("Time of a group commit, from its first statement to the disk")
            .register(registry);
    DistributionSummary works =
        DistributionSummary.builder("mailproxy.commit.works")
            .description("Pieces of work, such as a batch taken in or a result, in one commit")
            .register(registry);
    outbox.onCommit(works::record, nanos -> commit.record(nanos, TimeUnit.NANOSECONDS));
  }

  /** How long what waits in memory for its first attempt is there. */
  public void setRamQueue(DeliveryQueue queue) {
    oldest(QueueName.RAM, queue, q -> q.oldest().stream().mapToDouble(this::age).sum());
  }

  private double age(long acceptedAt) {
    return Math.max(0, clock.millis() - acceptedAt) / MILLIS;
  }

  private <T> void oldest(QueueName queue, T part, ToDoubleFunction<T> seconds) {
    Gauge.builder("mailproxy.queue.oldest.due", part, seconds)
        .tag("queue", queue.label())
        .baseUnit("seconds")
        .description("Age of the oldest delivery that is due and waits for a slot")
        .strongReference(true)
        .register(registry);
  }

  /** Connections by source address. */
  public void setSmtpPool(SmtpPool pool) {
    pool.onSource(this::connections);
  }

  private void connections(String source, ConnectionCounts counts) {
    counter("connections.new", counts, ConnectionCounts::opened, "source", source);
    counter("connections.failed", counts, ConnectionCounts::failed, "source", source);
    counter("connections.reused", counts, ConnectionCounts::reused, "source", source);
    gauge("connections.active", counts, ConnectionCounts::active, "source", source);
  }

  /** The place where reports go. */
  public void setReports(Reports reports) {
    Destination sync = reports.destination();
    String[] to = {"destination", Destination.SYNC};
    gauge("events.ready", sync, Destination::ready, to);
    gauge("events.ready.first", sync, Destination::firstReady, to);
    gauge("events.submission", sync, Destination::submission, to);
    counter("events.reads", sync, Destination::reads, to);
    counter("events.delivered", sync, Destination::delivered, to);
    counter("events.failed", sync, Destination::failedByAnswer, with(to, "reason", "answer"));
    counter("events.failed", sync, Destination::failedByNetwork, with(to, "reason", "network"));
    gauge("events.waiting", sync, d -> d.waiting().first(), with(to, "tried", "no"));
    gauge("events.waiting", sync, d -> d.waiting().retry(), with(to, "tried", "yes"));
    gauge("events.age", sync, d -> d.waiting().firstAge(), with(to, "tried", "no"));
    gauge("events.age", sync, d -> d.waiting().retryAge(), with(to, "tried", "yes"));
  }

  /**
   * Slots by what they do, and the attempts in them: those that began, and those that have leave.
   */
  public void setSlots(Slots slots) {
    counter("attempts.started", slots, Slots::started);
    for (QueueName queue : QueueName.values()) {
      Moment<SlotCounts> counts = new Moment<>(() -> slots.counts(queue));
      slots(queue, "free", counts, SlotCounts::free);
      slots(queue, "unacknowledged", counts, SlotCounts::unacknowledged);
      slots(queue, "acknowledged", counts, SlotCounts::acknowledged);
      slots(queue, "throttlewait", counts, SlotCounts::throttlewait);
      slots(queue, "delivering", counts, SlotCounts::delivering);
      slots(queue, "diskwait", counts, SlotCounts::diskwait);
      gauge("slots", slots, s -> s.size(queue), "queue", queue.label(), "state", "total");
    }
    gauge(
        "throttle.backlogged",
        slots,
        s -> sum(queue -> s.counts(queue).acknowledged()),
        "proxy",
        LEDGER);
    slots.onFirst((account, throttle) -> active(slots, account, throttle));
    accounts.listen(
        new Registry.Listener() {
          @Override
          public void added(Account account) {
            active(slots, account.id(), Telemetry.NO_RULE);
            slots.throttles(account.id()).forEach(name -> active(slots, account.id(), name));
          }

          @Override
          public void gone(Account account) {} // the registry removes what is an account's
        });
  }

  private void slots(
      QueueName queue, String state, Moment<SlotCounts> counts, ToDoubleFunction<SlotCounts> part) {
    gauge("slots", counts, c -> c.of(part), "queue", queue.label(), "state", state);
  }

  private void active(Slots slots, String account, String throttle) {
    String[] tags = {Telemetry.ACCOUNT, account, "throttle", throttle};
    gauge("attempts.active", slots, s -> s.delivering(account, throttle), tags);
  }

  /** Questions to the ledger of permits; {@code proxy} is its documented label. */
  public void setDecisions(Throttle throttle) {
    Moment<Map<QueueName, Integer>> open = new Moment<>(() -> unacknowledged(throttle));
    for (QueueName queue : QueueName.values()) {
      String[] tags = {"queue", queue.label(), "proxy", LEDGER};
      gauge("throttle.unacknowledged", open, m -> m.of(all -> all.get(queue)), tags);
      // a bound that shrinks holds for new questions: as many as are open may be
      gauge(
          "throttle.unacknowledged.max",
          open,
          m -> Math.max(m.of(all -> all.get(queue)), throttle.maxUnacknowledged()),
          tags);
    }
    String[] all = {"queue", "", "proxy", LEDGER};
    gauge("throttle.unacknowledged", open, m -> m.of(Sources::total), all);
    gauge("throttle.unacknowledged.all", open, m -> m.of(Sources::total), "proxy", LEDGER);
    gauge("throttle.sessions", throttle, t -> 1);
    Timer question = registry.timer("throttle.round-trip", "proxy", LEDGER);
    Timer ping = registry.timer("throttle.ping", "proxy", LEDGER);
    throttle.onAnswer(
        nanos -> question.record(nanos, TimeUnit.NANOSECONDS),
        nanos -> ping.record(nanos, TimeUnit.NANOSECONDS));
  }

  private static Map<QueueName, Integer> unacknowledged(Throttle throttle) {
    Map<QueueName, Integer> counts = new EnumMap<>(QueueName.class);
    for (QueueName queue : QueueName.values()) {
      counts.put(queue, throttle.unacknowledged(queue));
    }
    return counts;
  }

  private static double total(Map<QueueName, Integer> counts) {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }

  private static double sum(ToDoubleFunction<QueueName> value) {
    double sum = 0;
    for (QueueName queue : QueueName.values()) {
      sum += value.applyAsDouble(queue);
    }
    return sum;
  }

  private <T> void gauge(String name, T part, ToDoubleFunction<T> value, String... tags) {
    if (registry.find(name).tags(tags).gauge() == null) {
      Gauge.builder(name, part, value).tags(tags).strongReference(true).register(registry);
    }
  }

  private <T> void counter(String name, T part, ToDoubleFunction<T> value, String... tags) {
    FunctionCounter.builder(name, part, value).tags(tags).register(registry);
  }

  private static String[] with(String[] tags, String key, String value) {
    return new String[] {tags[0], tags[1], key, value};
  }
}
