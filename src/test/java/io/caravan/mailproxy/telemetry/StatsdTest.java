package io.caravan.mailproxy.telemetry;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.ConfigurationException;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.message.Counting;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A whole proxy that sends its metrics to a StatsD server. */
class StatsdTest {
  private static final Duration SOON = Duration.ofSeconds(30);

  /** Every key that a proxy with one account has after a mail, the prefix left out. */
  private static final List<String> KEYS =
      """
      gmp_sent_total.account_id_primary_smtp
      gmp_errors_total.account_id_primary_smtp
      gmp_deferred_total.account_id_primary_smtp
      gmp_rate_limited_total.account_id_primary_smtp
      gmp_pending_messages
      ram_queue_message_batches
      ram_queue_message_batches_max
      ram_queue_bytes
      ram_queue_bytes_max
      simplemh_http_queue_messages
      simplemh_http_queue_messages_max
      simplemh_http_queue_bytes
      simplemh_http_queue_bytes_max
      disk_queue_catchup_percentage
      disk_queue_scheduling_delay_milliseconds
      remote.attempts.deferral
      remote.attempts.dump
      remote.attempts.failure
      remote.attempts.success
      remote.attempts.started
      remote_delivery_attempts_active.outmta_primary_smtp.throttle___default
      remote_delivery_attempts_total.outmta_primary_smtp.throttle___default.result_success
      remote_delivery_attempts_total.outmta_primary_smtp.throttle___default.result_failure
      remote_delivery_attempts_total.outmta_primary_smtp.throttle___default.result_deferral
      remote_delivery_attempts_total.outmta_primary_smtp.throttle___default.result_dump
      remote_delivery_attempts_total.outmta_primary_smtp.throttle___default.result_unknown_report_type
      remote_delivery_attempts_total.outmta_primary_smtp.throttle___default.result_unknown_report_code
      remote.messages.disk_queue.add.count
      remote.messages.new.count
      http_request_duration_milliseconds.category_inject
      http_request_duration_milliseconds.category_engine_api
      http_request_duration_milliseconds.category_engine_stats
      http_request_duration_milliseconds.category_other
      remote.connection.new.total.source_ip_default
      remote.connection.failed.total.source_ip_default
      remote.connections.active.source_ip_default
      remote.connection.reused.total.source_ip_default
      event_delivery_ready_latency_milliseconds.destination_sync
      event_delivery_first_attempt_ready_latency_seconds.destination_sync
      event_delivery_submission_latency_milliseconds.destination_sync
      event_delivery_delivered_total.destination_sync
      event_delivery_failed_total.destination_sync
      event_delivery_network_failed_total.destination_sync
      event_delivery_read_operations_total.destination_sync
      event_delivery_queue_first_attempt_count.destination_sync
      event_delivery_queue_retry_count.destination_sync
      event_delivery_queue_first_attempt_age_seconds.destination_sync
      event_delivery_queue_retry_age_seconds.destination_sync
      remote.attempts.connmaxout
      remote.attempts.connmaxout.maxconn
      remote.attempts.connmaxout.msgperhour
      remote.attempts.connmaxout.maxunacknowledged
      remote.attempts.connmaxout.proxy.local
      remote.attempts.connmaxout.proxy.remote
      remote.dslots.ram.delivering
      remote.dslots.ram.diskwait
      remote.dslots.ram.free
      remote.dslots.ram.throttlewait
      remote.dslots.ram.total
      remote.dslots.ram.throttlewait.unacknowledged
      remote.dslots.ram.throttlewait.acknowledged
      remote.dslots.bounce.delivering
      remote.dslots.bounce.diskwait
      remote.dslots.bounce.free
      remote.dslots.bounce.throttlewait
      remote.dslots.bounce.total
      remote.dslots.bounce.throttlewait.unacknowledged
      remote.dslots.bounce.throttlewait.acknowledged
      remote.dslots.disk.delivering
      remote.dslots.disk.diskwait
      remote.dslots.disk.free
      remote.dslots.disk.throttlewait
      remote.dslots.disk.total
      remote.dslots.disk.throttlewait.unacknowledged
      remote.dslots.disk.throttlewait.acknowledged
      remote_throttle_unacknowledged_requests_count.proxy_database
      remote_throttle_unacknowledged_requests_count.queue_ram.proxy_database
      remote_throttle_unacknowledged_requests_max.queue_ram.proxy_database
      remote_throttle_unacknowledged_requests_count.queue_bounce.proxy_database
      remote_throttle_unacknowledged_requests_max.queue_bounce.proxy_database
      remote_throttle_unacknowledged_requests_count.queue_disk.proxy_database
      remote_throttle_unacknowledged_requests_max.queue_disk.proxy_database
      remote_throttle_backlog_unacknowledged.proxy_database
      remote_throttle_backlog_backlogged.proxy_database
      remote_throttle_ping_duration_milliseconds.proxy_database
      remote_throttle_round_trip_duration_milliseconds.proxy_database
      remote.throttle.sessions
      remote_delivery_attempts_total.outmta_primary_smtp.throttle___default.result_connmaxout
      remote_delivery_attempts_total.outmta_primary_smtp.throttle___default.result_pause
      """
          .lines()
          .toList();

  private static final Pattern SAMPLE = Pattern.compile("(\\w+)(?:\\{(.*)})? (\\S+)");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"([^\"]*)\"");

  @TempDir Path home;

  private TestProxy start(int port, String... more) {
    List<String> settings = new ArrayList<>();
    settings.addAll(List.of("statsd.host", "127.0.0.1", "statsd.port", String.valueOf(port)));
    settings.addAll(List.of("statsd.interval-seconds", "1", "drain.seconds", "1"));
    settings.addAll(List.of("retry.delays", "3600"));
    settings.addAll(List.of(more));
    return TestProxy.start(home, settings.toArray(String[]::new));
  }

  @Test
  void every_exposed_family_is_sent_under_its_documented_key() throws Exception {
    String me = InetAddress.getLocalHost().getHostName().replaceAll("[^a-zA-Z0-9]", "_");
    try (UdpSink sink = new UdpSink(0);
        ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy = start(sink.port())) {
      proxy.relayAccount("acme", "primary-smtp", relay.port(), "limit_per_day", 9);
      proxy.submit(message("acme", "primary-smtp", "a"));
      proxy.get("/status");
      proxy.get("/no/such/path");

      List<String> expected = KEYS.stream().map(key -> me + ".greenarrow." + key).toList();
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(sink.lines().stream().map(UdpSink::key).distinct())
                      .containsExactlyInAnyOrderElementsOf(expected));
      assertThat(sink.lines())
          .allMatch(line -> line.matches("[\\w.]+:\\d+(\\.\\d+)?\\|(c|g|ms(\\|@0\\.\\d+)?)"));
      assertThat(sink.packets()).allMatch(packet -> packet.length() < 1_400);
      for (Catalogue.Family family : new Catalogue().families()) {
        String type =
            switch (family.type()) {
              case COUNTER -> "|c";
              case GAUGE -> "|g";
              case HISTOGRAM -> "|ms";
            };
        assertThat(sink.lines())
            .filteredOn(line -> line.matches(regex(me, family)))
            .as(family.name())
            .isNotEmpty()
            .allMatch(line -> line.contains(type));
      }
    }
  }

  private static String regex(String me, Catalogue.Family family) {
    return Pattern.quote(me + ".greenarrow." + family.statsd())
        + family.labels().stream()
            .map(label -> "\\." + label.name() + "_[a-zA-Z0-9_]+")
            .collect(Collectors.joining())
        + ":.*";
  }

  @Test
  void deltas_add_up_to_what_prometheus_sees() throws Exception {
    try (UdpSink sink = new UdpSink(0);
        ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy = start(sink.port(), "statsd.prefix", "")) {
      proxy.relayAccount("acme", "a-b", relay.port());
      proxy.relayAccount("acme", "a.b", relay.port());
      List<Map<String, Object>> items = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        String to = i % 10 == 0 ? "550@x.test" : i % 10 == 1 ? "450@x.test" : "fine@x.test";
        items.add(message("acme", i % 2 == 0 ? "a-b" : "a.b", "m" + i, "to", List.of(to)));
      }
      proxy.submit(items);

      await()
          .atMost(SOON)
          .untilAsserted(
              () -> {
                Map<String, Long> sent = sink.counters();
                assertThat(sent).containsEntry("gmp_sent_total.account_id_a_b", 160L);
                assertThat(sent).containsAllEntriesOf(counters(proxy.get("/metrics").body()));
                assertThat(sent)
                    .containsEntry("remote.attempts.success", 160L)
                    .containsEntry("remote.attempts.failure", 20L)
                    .containsEntry("remote.messages.disk_queue.add.count", 20L)
                    .containsEntry("remote.messages.new.count", 200L);
              });
    }
  }

  /** The documented counters of a Prometheus text, by the key they have here, summed. */
  private static Map<String, Long> counters(String text) {
    Map<String, Catalogue.Family> families =
        new Catalogue()
            .families().stream()
                .filter(family -> family.type() == Catalogue.Type.COUNTER)
                .collect(Collectors.toMap(Catalogue.Family::name, family -> family));
    Map<String, Long> counters = new TreeMap<>();
    for (String line : text.lines().toList()) {
      Matcher sample = SAMPLE.matcher(line);
      if (sample.matches() && families.containsKey(sample.group(1))) {
        StringBuilder key = new StringBuilder(families.get(sample.group(1)).statsd());
        Matcher label = LABEL.matcher(sample.group(2) == null ? "" : sample.group(2));
        while (label.find()) {
          key.append('.').append(label.group(1)).append('_');
          key.append(label.group(2).replaceAll("[^a-zA-Z0-9]", "_"));
        }
        counters.merge(key.toString(), (long) Double.parseDouble(sample.group(3)), Long::sum);
      }
    }
    assertThat(counters).hasSizeGreaterThan(15);
    return counters;
  }

  @Test
  void of_many_durations_some_are_sent_with_their_share() {
    try (UdpSink sink = new UdpSink(0);
        TestProxy proxy = start(sink.port(), "statsd.prefix", "p")) {
      var timer =
          proxy
              .proxy()
              .bean("metricsRegistry", MeterRegistry.class)
              .timer("http.requests", "category", "other");
      for (int i = 0; i < 1_000; i++) {
        timer.record(1_500, TimeUnit.MICROSECONDS);
      }
      String key = "p.http_request_duration_milliseconds.category_other:";
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(Math.round(sink.lines().stream().mapToDouble(l -> of(l, key)).sum()))
                      .isEqualTo(1_000));
      assertThat(sink.lines().stream().filter(line -> line.startsWith(key)))
          .hasSizeLessThan(1_000)
          .allMatch(line -> line.startsWith(key + "1.5|ms"));
    }
  }

  /** How many durations a line stands for. */
  private static double of(String line, String key) {
    int rate = line.indexOf("|@");
    return !line.startsWith(key)
        ? 0
        : rate < 0 ? 1 : 1 / Double.parseDouble(line.substring(rate + 2));
  }

  @Test
  void what_came_last_is_sent_when_the_service_stops() throws Exception {
    try (UdpSink sink = new UdpSink(0);
        ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      try (TestProxy proxy =
          start(
              sink.port(),
              "statsd.prefix",
              "",
              "statsd.interval-seconds",
              "3600",
              "statsd.key-style",
              "dotted")) {
        await().atMost(SOON).until(() -> sink.counters().containsKey("remote.messages.new.count"));
        proxy.relayAccount("acme", "main", relay.port());
        proxy.submit(message("acme", "main", "a"));
        await().atMost(SOON).until(() -> proxy.state("acme", "a").equals("sent"));
        assertThat(sink.counters()).containsEntry("remote.messages.new.count", 0L);
      }
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(sink.counters())
                      .containsEntry("remote.messages.new.count", 1L)
                      .containsEntry("gmp.sent.total.account_id_main", 1L));
    }
  }

  @Test
  void without_a_host_nothing_is_sent_and_nothing_counted() {
    try (TestProxy proxy = TestProxy.start(home)) {
      await().atMost(SOON).until(() -> proxy.exchanges("statsd") > 0);
      assertThat(proxy.get("/metrics").body()).doesNotContain("statsd_lines", "statsd_dropped");
    }
  }

  @ParameterizedTest
  @CsvSource({"no-such-host.invalid", "127.0.0.1"})
  void a_server_that_is_not_there_harms_nobody(String host) throws Exception {
    int port;
    try (UdpSink gone = new UdpSink(0)) {
      port = gone.port();
    }
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy = start(port, "statsd.host", host, "statsd.prefix", "")) {
      proxy.relayAccount("acme", "main", relay.port());
      proxy.submit(message("acme", "main", "a"));
      await().atMost(SOON).until(() -> proxy.state("acme", "a").equals("sent"));
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(proxy.get("/metrics").body())
                      .containsPattern("\ntelemetry_statsd_dropped_total [1-9]")
                      .contains("\ntelemetry_statsd_lines_total ")
                      .contains("routeId=\"statsd\""));
      assertThat(proxy.get("/health/ready").statusCode()).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "statsd.key-style, camel",
    "statsd.port, 0",
    "statsd.port, 65536",
    "statsd.port, statsd",
    "statsd.host, statsd:8125",
    "statsd.host, udp://statsd",
    "statsd.host, two words",
    "statsd.host, dead:8125",
    "statsd.prefix, a:b",
    "statsd.prefix, {you}",
    "statsd.interval-seconds, 0",
    "statsd.interval-seconds, 10s",
  })
  void a_setting_that_cannot_be_meant_refuses_the_start(String key, String value) {
    assertThatThrownBy(() -> TestProxy.start(home, key, value).close())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(key + ": ")
        .hasMessageContaining(": " + value);
  }

  @ParameterizedTest
  @CsvSource({"localhost", "stats.example.com", "10.0.0.1", "::1", "[::1]", "fe80::1%1", "''"})
  void hosts_that_can_be(String host) {
    MeterRegistry registry = new SimpleMeterRegistry();
    Statsd statsd = new Statsd(new Readings(registry, new Catalogue(), new Counting()), registry);
    assertThatCode(() -> statsd.setHost(host)).doesNotThrowAnyException();
  }
}
