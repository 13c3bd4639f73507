package io.caravan.mailproxy.telemetry;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** No figure contradicts another, in any scrape, whatever goes on (telemetry.md 5). */
class RelationsTest {
  /** {@code -Dscrapes=1000} for the long form. */
  private static final int SCRAPES = Integer.getInteger("scrapes", 150);

  private static final int BATCHES = SCRAPES / 5;
  private static final int BATCH = 50;
  private static final List<String> QUEUES = List.of("ram", "bounce", "disk");
  private static final List<String> RESULTS =
      List.of("success", "failure", "deferral", "dump", "connmaxout");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"([^\"]*)\"");

  @TempDir Path home;

  /** One scrape, read by nothing of the proxy's. */
  private static final class Scrape {
    private final Map<String, Map<Map<String, String>, Double>> families = new HashMap<>();

    Scrape(String text) {
      for (String line : text.split("\n", -1)) {
        if (!line.startsWith("#") && !line.isEmpty()) {
          int blank = line.lastIndexOf(' ');
          int brace = line.indexOf('{');
          Map<String, String> labels = new TreeMap<>();
          Matcher label = LABEL.matcher(line.substring(0, blank));
          while (label.find()) {
            labels.put(label.group(1), label.group(2));
          }
          families
              .computeIfAbsent(line.substring(0, brace < 0 ? blank : brace), n -> new HashMap<>())
              .put(labels, Double.valueOf(line.substring(blank + 1).replace("+Inf", "Infinity")));
        }
      }
    }

    double of(String family, String... labels) {
      double sum = 0;
      for (var series : families.getOrDefault(family, Map.of()).entrySet()) {
        boolean meant = true;
        for (int i = 0; i < labels.length; i += 2) {
          meant &= labels[i + 1].equals(series.getKey().getOrDefault(labels[i], ""));
        }
        sum += meant ? series.getValue() : 0;
      }
      return sum;
    }

    double slots(String state) {
      return QUEUES.stream().mapToDouble(q -> of("remote_dslots_" + q + "_" + state)).sum();
    }
  }

  private static void equal(List<String> wrong, String rule, double a, double b) {
    if (a != b) {
      wrong.add(rule + ": " + a + " and " + b);
    }
  }

  private static void most(List<String> wrong, String rule, double a, double b) {
    if (a > b) {
      wrong.add(rule + ": " + a + " above " + b);
    }
  }

  private static List<String> contradictions(Scrape s) {
    List<String> wrong = new ArrayList<>();
    for (String q : QUEUES) {
      String slots = "remote_dslots_" + q + "_";
      double wait = s.of(slots + "throttlewait");
      equal(
          wrong,
          "R1 " + q,
          s.of(slots + "delivering") + s.of(slots + "diskwait") + wait + s.of(slots + "free"),
          s.of(slots + "total"));
      equal(
          wrong,
          "R2 " + q,
          wait,
          s.of(slots + "throttlewait_unacknowledged") + s.of(slots + "throttlewait_acknowledged"));
      most(
          wrong,
          "R7 " + q,
          s.of("remote_throttle_unacknowledged_requests_count", "queue", q),
          s.of("remote_throttle_unacknowledged_requests_max", "queue", q));
    }
    equal(wrong, "R3 ram", s.of("remote_dslots_ram_total"), 40);
    equal(wrong, "R3 disk", s.of("remote_dslots_disk_total"), 20);
    equal(wrong, "R3 bounce", s.of("remote_dslots_bounce_total"), 5);
    String asked = "remote_throttle_unacknowledged_requests_count";
    equal(wrong, "R6", s.of(asked, "queue", ""), s.of(asked) - s.of(asked, "queue", ""));
    String refused = "remote_attempts_connmaxout";
    equal(
        wrong,
        "R8",
        s.of(refused),
        s.of(refused + "_maxconn")
            + s.of(refused + "_msgperhour")
            + s.of(refused + "_maxunacknowledged"));
    equal(
        wrong,
        "R9",
        s.of(refused),
        s.of(refused + "_proxy_local") + s.of(refused + "_proxy_remote"));
    for (String result : RESULTS) {
      equal(
          wrong,
          "R10 " + result,
          s.of("remote_delivery_attempts_total", "result", result),
          s.of("remote_attempts_" + result));
    }
    equal(
        wrong,
        "R11",
        s.of("remote_attempts_started") - s.of("remote_delivery_attempts_total"),
        s.slots("delivering") + s.slots("throttlewait") + s.slots("diskwait"));
    equal(wrong, "R12", s.of("remote_delivery_attempts_active"), s.slots("delivering"));
    most(
        wrong,
        "R17",
        s.of("event_delivery_network_failed_total"),
        s.of("event_delivery_failed_total"));
    for (String account : List.of("plain", "few", "slow")) {
      equal(
          wrong,
          "R22 " + account,
          s.of("gmp_sent_total", "account_id", account),
          s.of("remote_delivery_attempts_total", "outmta", account, "result", "success"));
    }
    return wrong;
  }

  @Test
  void scrapes_under_load_contradict_themselves_nowhere() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy =
            TestProxy.start(
                home,
                "queue.ram.concurrencyremote",
                "40",
                "queue.disk.concurrencyremote",
                "20",
                "queue.bounce.concurrencyremote",
                "5",
                "retry.delays",
                "1",
                "retry.max-attempts",
                "2",
                "throttle.backlog-wait-ms",
                "20")) {
      proxy.relayAccount("t", "plain", relay.port());
      proxy.relayAccount("t", "few", relay.port(), "limit_per_minute", 100);
      proxy.relayAccount("t", "slow", relay.port(), "max_connections", 1, "limit_per_second", 40);
      CompletableFuture<Void> load = CompletableFuture.runAsync(() -> load(proxy));
      int moving = 0;
      double before = 0;
      for (int i = 0; i < SCRAPES || (moving <= SCRAPES / 10 && !load.isDone()); i++) {
        Scrape scrape = new Scrape(proxy.get("/metrics").body());
        assertThat(contradictions(scrape)).as("scrape " + i).isEmpty();
        double attempts = scrape.of("remote_delivery_attempts_total");
        moving += attempts > before ? 1 : 0;
        before = attempts;
      }
      load.join();
      assertThat(moving).as("scrapes between which attempts ended").isGreaterThan(SCRAPES / 10);
      Scrape last = new Scrape(proxy.get("/metrics").body());
      for (String family : List.of("_success", "_failure", "_deferral", "_connmaxout")) {
        assertThat(last.of("remote_attempts" + family)).as(family).isPositive();
      }
      proxy.proxy().bean("relations", Relations.class).check();
      assertThat(new Scrape(proxy.get("/metrics").body()).families)
          .containsKey("mailproxy_invariant_violations_total");
      assertThat(last.of("mailproxy_invariant_violations_total")).isZero();
    }
  }

  private static void load(TestProxy proxy) {
    for (int b = 0; b < BATCHES; b++) {
      List<Map<String, Object>> batch = new ArrayList<>();
      for (int i = 0; i < BATCH; i++) {
        String to =
            i % 20 == 0
                ? "550@x.test"
                : i % 10 == 1 ? "grey1+" + b + "." + i + "@x.test" : "a@x.test";
        String account = i % 10 == 2 ? "few" : i % 10 == 3 ? "slow" : "plain";
        batch.add(message("t", account, "m-" + b + "-" + i, "to", List.of(to)));
      }
      proxy.submit(batch);
    }
  }

  @Test
  void a_contradiction_is_counted_by_its_rule() {
    try (TestProxy proxy = TestProxy.start(home)) {
      MeterRegistry registry = proxy.proxy().bean("metricsRegistry", MeterRegistry.class);
      registry.counter(Telemetry.REFUSED, "reason", "maxconn", "by", "local").increment();
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () -> {
                Scrape scrape = new Scrape(proxy.get("/metrics").body());
                String violations = "mailproxy_invariant_violations_total";
                return scrape.of(violations, "rule", "R8") > 0
                    && scrape.of(violations, "rule", "R9") > 0
                    && scrape.of(violations, "rule", "R10") == 0;
              });
    }
  }
}
