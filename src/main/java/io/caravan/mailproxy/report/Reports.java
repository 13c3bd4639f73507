package io.caravan.mailproxy.report;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.admin.Tenant;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Caller;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.Request;
import io.caravan.mailproxy.queue.Failpoint;
import io.caravan.mailproxy.queue.Lease;
import io.caravan.mailproxy.queue.Outbox;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which tenant's sync endpoint is to be called when, and what goes there (genro-api 4). The events
 * themselves stand in the store until they are acknowledged; what is kept here may be lost.
 */
public final class Reports {
  private static final double MILLIS = 1e3;
  private static final double NANOS = 1e9;
  private static final long RETIRED_WAIT_MILLIS = 10;
  private static final Logger LOG = LoggerFactory.getLogger(Reports.class);
  private static final long MAX_QUIET_MILLIS = TimeUnit.HOURS.toMillis(24);

  private final Registry registry;
  private final InstantSource clock;
  private final SyncSettings settings;
  private final Lease lease;
  private final Destination destination = new Destination();
  private final Map<String, TenantSync> tenants = new HashMap<>();
  private volatile long lastRound = System.nanoTime();
  private boolean retired;

  /** Starts with the tenants that have unreported events. */
  public Reports(
      Registry registry, InstantSource clock, SyncSettings settings, Outbox outbox, Lease lease) {
    this.lease = lease;
    this.registry = registry;
    this.clock = clock;
    this.settings = settings;
    outbox.unreportedTenants().forEach(this::wake);
  }

  /** A tenant has a new event to be reported. */
  public synchronized void wake(String tenantId) {
    TenantSync sync = sync(tenantId);
    if (!sync.events) { // else the loop knows, and this is called for every mail
      sync.events = true;
      notifyAll();
    }
  }

  /**
   * Takes the rows of {@code unreported-tenants.sql}: other nodes' events are reported here too.
   */
  public void found(List<Map<String, Object>> rows) {
    Row.all(rows).forEach(row -> wake(row.text("tenant_id")));
  }

  /** Calls a tenant at the next round, do-not-disturb or not (run-now); null: all of them. */
  public synchronized void runNow(Caller caller) {
    if (caller.tenantId() != null) {
      sync(caller.tenantId()).expedite(clock.millis());
      notifyAll();
      return;
    }
    registry.tenants().forEach(tenant -> sync(tenant.id()));
    tenants.values().forEach(sync -> sync.expedite(clock.millis()));
    notifyAll();
  }

  /** What a tenant's next call depends on; null: nothing yet. */
  synchronized @Nullable TenantSync known(String tenantId) {
    return tenants.get(tenantId);
  }

  /** Seconds since the last round began; a loop that runs begins one every second. */
  public double secondsSinceRound() {
    return (System.nanoTime() - lastRound) / 1e9;
  }

  /** Waits for tenants that are to be called; each stands in one list only until it was called. */
  public synchronized List<String> awaitDue(long atMostMillis) throws InterruptedException {
    lastRound = System.nanoTime();
    long deadline = lastRound + TimeUnit.MILLISECONDS.toNanos(atMostMillis);
    while (true) {
      if (retired) {
        wait(RETIRED_WAIT_MILLIS);
        return List.of();
      }
      List<String> due = due();
      long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (!due.isEmpty() || left <= 0) {
        return due;
      }
      wait(left);
    }
  }

  /** The tenant that the path names was deleted. */
  public synchronized void forget(Request request) {
    tenants.remove(request.segment(1));
  }

  /** Calls nobody any more; who waits in {@link #awaitDue} is let go. */
  public synchronized void retire() {
    retired = true;
    notifyAll();
  }

  /** The call that tells a tenant its events, as rows of {@code read-unreported.sql}. */
  public ReportCall call(List<Map<String, Object>> rows, String tenantId) {
    List<Map<String, Object>> items = new ArrayList<>();
    List<ReportCall.Event> events = new ArrayList<>();
    for (Row row : Row.all(rows)) {
      items.add(ReportItem.of(row));
      events.add(
          new ReportCall.Event(row.number("pk"), row.number("message_pk"), row.number("at")));
    }
    measure(Row.all(rows), tenantId);
    boolean wanted = !events.isEmpty() || greeting(tenantId);
    Tenant tenant = registry.tenant(tenantId).orElse(null);
    String url = settings.url();
    String authorization = settings.authorization();
    if (tenant != null && tenant.endpoint().syncUrl() != null) {
      url = tenant.endpoint().syncUrl();
      authorization = tenant.authorization();
    }
    Objects.requireNonNull(url, () -> "tenant " + tenantId + " has no sync endpoint any more");
    boolean guarded = tenant != null && tenant.endpoint().guarded();
    String body = Json.text(Map.of("delivery_report", items));
    long now = System.nanoTime();
    return new ReportCall(tenantId, url, guarded, authorization, body, events, wanted, now);
  }

  /** How long the oldest of the events that were read has waited. */
  private synchronized void measure(List<Row> rows, String tenantId) {
    destination.read();
    long now = clock.millis();
    long first = Long.MAX_VALUE;
    long any = Long.MAX_VALUE;
    for (Row row : rows) {
      if (row.number("tried") == 0) {
        first = Math.min(first, row.number("at"));
        any = Math.min(any, row.number("at"));
      } else {
        any = Math.min(any, sync(tenantId).dueSince(row.number("at")));
      }
    }
    if (any != Long.MAX_VALUE) {
      destination.ready(Math.max(0, now - any) / MILLIS);
    }
    if (first != Long.MAX_VALUE) {
      destination.readyFirst(Math.max(0, now - first) / MILLIS);
    }
  }

  /** Parameters for {@code count-unreported.sql}. */
  public Map<String, Object> counting() {
    return Map.of("common", settings.url() == null ? 0 : 1);
  }

  /** Takes the rows of {@code count-unreported.sql}. */
  public void counted(List<Map<String, Object>> rows) {
    long[] count = new long[2];
    double[] age = new double[2];
    for (Row row : Row.all(rows)) {
      int tried = (int) row.number("tried");
      count[tried] = row.number("waiting");
      age[tried] = Math.max(1, clock.millis() - row.number("oldest")) / MILLIS;
    }
    destination.waiting(new Destination.Waiting(count[0], age[0], count[1], age[1]));
  }

  /** What is known of the place where reports go. */
  public Destination destination() {
    return destination;
  }

  private synchronized boolean greeting(String tenantId) {
    return sync(tenantId).greeting;
  }

  /** What the endpoint said; a route of the user's own that did not fail has taken the events. */
  public ReportAnswer said(@Nullable Object body, ReportCall call) {
    ended(call);
    return body instanceof ReportAnswer answer ? answer : ReportAnswer.taken();
  }

  private void ended(ReportCall call) {
    if (!call.events().isEmpty()) {
      destination.submitted((System.nanoTime() - call.madeAt()) / NANOS);
      Failpoint.pass("report.beforeAckCommit");
    }
  }

  /** The events of a call are acknowledged in the store. */
  public synchronized void acknowledged(ReportCall call, ReportAnswer answer) {
    TenantSync sync = sync(call.tenantId());
    if (!call.wanted()) {
      sync.calling = false;
      notifyAll();
      return;
    }
    sync.called(clock.millis());
    destination.delivered(call.events().size());
    sync.events = call.events().size() >= settings.batch() || sync.events;
    sync.expedited |= answer.queued() > 0;
    if (answer.quietUntil() != null) {
      sync.quietUntil = Math.min(answer.quietUntil() * 1000, clock.millis() + MAX_QUIET_MILLIS);
    }
    if (!call.events().isEmpty()) {
      LOG.info("Delivery report posted to {}: {} events", call.tenantId(), call.events().size());
    }
    notifyAll();
  }

  /** A call was not acknowledged: the same events are sent again, later. */
  public synchronized void refused(ReportCall call, ReportAnswer answer) {
    TenantSync sync = sync(call.tenantId());
    boolean told = !call.events().isEmpty();
    sync.events |= told;
    destination.failed(call.events().size(), answer.network());
    long delay = sync.refused(clock.millis(), settings.retryDelaysSeconds(), answer, told);
    notifyAll();
    LOG.warn(
        "Delivery report to {} with {} events not acknowledged ({}), trying again in {} s",
        call.tenantId(),
        call.events().size(),
        answer.reason(),
        delay / 1000);
  }

  /**
   * A call broke off in this process: it is made again, later.
   *
   * @param call {@code null}: it was not made yet
   */
  public synchronized void broken(String tenantId, @Nullable ReportCall call) {
    TenantSync sync = sync(tenantId);
    if (call != null) {
      ended(call);
      destination.failed(call.events().size(), false);
    }
    sync.events = true;
    sync.broken(clock.millis(), settings.retryDelaysSeconds());
  }

  private List<String> due() {
    if (!lease.leads()) {
      return List.of();
    }
    long now = clock.millis();
    registry.tenants().forEach(tenant -> sync(tenant.id()));
    List<String> due = new ArrayList<>();
    tenants.forEach(
        (id, sync) -> {
          Tenant tenant = registry.tenant(id).orElse(null);
          boolean reachable =
              settings.url() != null || (tenant != null && tenant.endpoint().syncUrl() != null);
          boolean greeted = tenant != null && tenant.active();
          if (reachable && sync.due(now, greeted, settings.intervalMillis())) {
            sync.calling = true;
            sync.events = false;
            sync.expedited = false;
            due.add(id);
          }
        });
    return due;
  }

  private TenantSync sync(String tenantId) {
    return tenants.computeIfAbsent(tenantId, id -> new TenantSync());
  }
}
