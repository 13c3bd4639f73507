package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.message.Account;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Relations between the documented metrics that hold in every reading, by the names of telemetry.md
 * 5; what does not hold is counted and logged.
 */
public final class Relations {
  private static final Logger LOG = LoggerFactory.getLogger("metrics");
  private static final String VIOLATIONS = "mailproxy.invariant.violations";
  private static final List<String> QUEUES = List.of("ram", "bounce", "disk");
  private static final List<String> RESULTS =
      List.of("success", "failure", "deferral", "dump", "connmaxout");

  private static final String ATTEMPTS = "remote_delivery_attempts_total";
  private static final String ACTIVE = "remote_delivery_attempts_active";
  private static final String REQUESTS = "remote_throttle_unacknowledged_requests_count";
  private static final String REQUESTS_MAX = "remote_throttle_unacknowledged_requests_max";
  private static final String REFUSED = "remote_attempts_connmaxout";

  /** Those in which the series of an account that is gone are missed: a sum is no longer whole. */
  private static final Set<String> BY_ACCOUNT = Set.of("R10", "R11", "R12");

  private static final Map<String, Predicate<Figures>> RULES = new TreeMap<>();

  static {
    RULES.put("R1", f -> each(q -> states(f, q) == slots(f, q, "total")));
    RULES.put(
        "R2",
        f ->
            each(
                q ->
                    slots(f, q, "throttlewait")
                        == slots(f, q, "throttlewait_unacknowledged")
                            + slots(f, q, "throttlewait_acknowledged")));
    RULES.put(
        "R4",
        f ->
            f.of("remote_throttle_backlog_unacknowledged")
                <= slots(f, "throttlewait_unacknowledged"));
    RULES.put(
        "R5",
        f -> f.of("remote_throttle_backlog_backlogged") == slots(f, "throttlewait_acknowledged"));
    RULES.put(
        "R6",
        f ->
            f.by(REQUESTS, "proxy").entrySet().stream()
                .allMatch(
                    proxy ->
                        2 * f.of(REQUESTS, Map.of("queue", "", "proxy", proxy.getKey().get(0)))
                            == proxy.getValue()));
    RULES.put(
        "R7",
        f ->
            each(
                q -> f.of(REQUESTS, Map.of("queue", q)) <= f.of(REQUESTS_MAX, Map.of("queue", q))));
    RULES.put(
        "R8",
        f ->
            f.of(REFUSED)
                == f.of(REFUSED + "_maxconn")
                    + f.of(REFUSED + "_msgperhour")
                    + f.of(REFUSED + "_maxunacknowledged"));
    RULES.put(
        "R9",
        f -> f.of(REFUSED + "_proxy_local") + f.of(REFUSED + "_proxy_remote") == f.of(REFUSED));
    RULES.put(
        "R10",
        f ->
            RESULTS.stream()
                .allMatch(
                    result ->
                        f.of(ATTEMPTS, Map.of("result", result))
                            == f.of("remote_attempts_" + result)));
    RULES.put(
        "R11",
        f ->
            f.of("remote_attempts_started") - f.of(ATTEMPTS)
                == slots(f, "delivering") + slots(f, "throttlewait") + slots(f, "diskwait"));
    RULES.put("R12", f -> f.of(ACTIVE) == slots(f, "delivering"));
    RULES.put(
        "R13", f -> f.of("ram_queue_message_batches") <= f.of("ram_queue_message_batches_max"));
    RULES.put(
        "R15",
        f ->
            f.of("disk_queue_scheduling_delay_seconds") >= 0
                && f.of("disk_queue_catchup_percentage") >= 0
                && f.of("disk_queue_catchup_percentage") <= 1);
    RULES.put(
        "R17",
        f -> f.of("event_delivery_network_failed_total") <= f.of("event_delivery_failed_total"));
    RULES.put("R22", Relations::sentWithin);
  }

  private final Readings readings;
  private final MeterRegistry registry;
  private final Map<String, Predicate<Figures>> rules = new TreeMap<>(RULES);
  private final Set<String> unchecked = ConcurrentHashMap.newKeySet();

  /**
   * @param accounts once one is gone, sums over all accounts are no longer compared
   * @param ram slots of queue ram, as set (queue.ram.concurrencyremote)
   * @param disk the same of queue disk
   * @param bounce the same of queue bounce
   */
  public Relations(
      Readings readings, MeterRegistry registry, Registry accounts, int ram, int disk, int bounce) {
    this.readings = readings;
    this.registry = registry;
    Map<String, Integer> set = Map.of("ram", ram, "disk", disk, "bounce", bounce);
    rules.put(
        "R3",
        f ->
            set.entrySet().stream()
                .allMatch(queue -> slots(f, queue.getKey(), "total") == queue.getValue()));
    rules.keySet().forEach(this::violations);
    accounts.listen(
        new Registry.Listener() {
          @Override
          public void added(Account account) {}

          @Override
          public void gone(Account account) {
            unchecked.addAll(BY_ACCOUNT);
          }
        });
  }

  /** Takes what tells of a message that ended as sent without an attempt: then R22 cannot hold. */
  public void setAttemptCounts(AttemptCounts counts) {
    counts.onSentUnattempted(() -> unchecked.add("R22"));
  }

  /** Compares the figures of one reading. */
  public void check() {
    Figures figures = new Figures(readings.read());
    rules.forEach(
        (rule, holds) -> {
          if (!unchecked.contains(rule) && !holds.test(figures)) {
            violations(rule).increment();
            LOG.warn("Metrics contradict each other: relation {} does not hold", rule);
          }
        });
  }

  private Counter violations(String rule) {
    return Counter.builder(VIOLATIONS)
        .description("Times that documented metrics contradicted each other, by relation")
        .tag("rule", rule)
        .register(registry);
  }

  private static boolean sentWithin(Figures figures) {
    Map<List<String>, Double> successes =
        figures.by(ATTEMPTS, List.of("outmta"), Map.of("result", "success"));
    return figures.by("gmp_sent_total", "account_id").entrySet().stream()
        .allMatch(sent -> sent.getValue() <= successes.getOrDefault(sent.getKey(), 0.0));
  }

  private static boolean each(Predicate<String> queue) {
    return QUEUES.stream().allMatch(queue);
  }

  private static double slots(Figures figures, String queue, String state) {
    return figures.of("remote_dslots_" + queue + "_" + state);
  }

  private static double slots(Figures figures, String state) {
    return QUEUES.stream().mapToDouble(queue -> slots(figures, queue, state)).sum();
  }

  private static double states(Figures figures, String queue) {
    return List.of("delivering", "diskwait", "throttlewait", "free").stream()
        .mapToDouble(state -> slots(figures, queue, state))
        .sum();
  }
}
