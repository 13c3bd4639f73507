package io.caravan.mailproxy.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Keys to the letter (telemetry.md section 1). */
class StatsdKeysTest {
  private static final Catalogue CATALOGUE = new Catalogue();

  private static Catalogue.Family family(String name) {
    return CATALOGUE.all().stream().filter(f -> f.name().equals(name)).findFirst().orElseThrow();
  }

  private static String key(String name, String... labels) {
    return new StatsdKeys("", false).of(family(name), List.of(labels));
  }

  @Test
  void the_documented_example() {
    assertThat(key("remote_delivery_attempts_active", "ipaddr-1", "example.com"))
        .isEqualTo("remote_delivery_attempts_active.outmta_ipaddr_1.throttle_example_com");
  }

  @ParameterizedTest
  @CsvSource({
    "__default, .throttle___default",
    "[*.]example.com, .throttle_____example_com",
    "mx:*.google.com, .throttle_mx___google_com",
    "bücher.de, .throttle_xn__bcher_kva_de",
    "[*.]bücher.de, .throttle_____xn__bcher_kva_de",
    "a ü:|@, .throttle_a_xn__tda___",
    "ü\u00ad\uffff, .throttle____",
  })
  void label_values(String value, String appended) {
    assertThat(key("remote_delivery_attempts_active", "m", value))
        .isEqualTo("remote_delivery_attempts_active.outmta_m" + appended);
  }

  @Test
  void a_key_has_one_line() {
    assertThat(key("gmp_sent_total", "a\r\n\u0000b")).isEqualTo("gmp_sent_total.account_id_a___b");
  }

  @Test
  void labels_that_the_table_leaves_out_follow_the_same_rule() {
    assertThat(key("remote_connection_new_total", "2001:db8::1"))
        .isEqualTo("remote.connection.new.total.source_ip_2001_db8__1");
    assertThat(key("incoming_smtp_connections_active", "smtpd1"))
        .isEqualTo("incoming.smtp.connections.active.service_smtpd1");
    assertThat(key("gmp_sent_total", "primary-smtp"))
        .isEqualTo("gmp_sent_total.account_id_primary_smtp");
  }

  @Test
  void labels_stand_in_the_documented_order_and_empty_ones_not_at_all() {
    assertThat(key("remote_delivery_attempts_total", "m", "t", "success"))
        .isEqualTo("remote_delivery_attempts_total.outmta_m.throttle_t.result_success");
    assertThat(key("remote_throttle_unacknowledged_requests_count", "ram", "database"))
        .isEqualTo("remote_throttle_unacknowledged_requests_count.queue_ram.proxy_database");
    assertThat(key("remote_throttle_unacknowledged_requests_count", "", "database"))
        .isEqualTo("remote_throttle_unacknowledged_requests_count.proxy_database");
  }

  @Test
  void eight_keys_are_in_milliseconds_and_three_gauges_in_seconds() {
    assertThat(CATALOGUE.all().stream().filter(Catalogue.Family::inMilliseconds))
        .extracting(family -> new StatsdKeys("", false).of(family, List.of()))
        .containsExactlyInAnyOrder(
            "simplemh_http_queue_latency_milliseconds",
            "disk_queue_scheduling_delay_milliseconds",
            "delivery_probe_latency_milliseconds",
            "remote_throttle_ping_duration_milliseconds",
            "remote_throttle_round_trip_duration_milliseconds",
            "http_request_duration_milliseconds",
            "event_delivery_ready_latency_milliseconds",
            "event_delivery_submission_latency_milliseconds");
    assertThat(CATALOGUE.all().stream().map(Catalogue.Family::statsd))
        .filteredOn(key -> key.endsWith("_seconds"))
        .containsExactlyInAnyOrder(
            "event_delivery_first_attempt_ready_latency_seconds",
            "event_delivery_queue_first_attempt_age_seconds",
            "event_delivery_queue_retry_age_seconds");
  }

  @Test
  void the_older_form_has_dots_in_the_name_and_only_there() {
    StatsdKeys keys = new StatsdKeys("my_host", true);
    assertThat(keys.of(family("ram_queue_message_batches"), List.of()))
        .isEqualTo("my_host.ram.queue.message.batches");
    assertThat(keys.of(family("remote_connection_new_total"), List.of("10.0.0.1")))
        .isEqualTo("my_host.remote.connection.new.total.source_ip_10_0_0_1");
    assertThat(CATALOGUE.all()).extracting(f -> keys.of(f, List.of())).doesNotHaveDuplicates();
  }

  @Test
  void the_prefix_names_this_host_without_dots() throws Exception {
    String me = InetAddress.getLocalHost().getHostName().replaceAll("[^a-zA-Z0-9]", "_");
    assertThat(new StatsdKeys("{me}.greenarrow", false).of(family("ram_queue_bytes"), List.of()))
        .isEqualTo(me + ".greenarrow.ram_queue_bytes");
    assertThat(new StatsdKeys(" ", false).of(family("ram_queue_bytes"), List.of()))
        .isEqualTo("ram_queue_bytes");
  }
}
