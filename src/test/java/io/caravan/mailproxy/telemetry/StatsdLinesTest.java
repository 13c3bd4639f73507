package io.caravan.mailproxy.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.message.Counting;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What lines are made of meters, from one sending to the next. */
class StatsdLinesTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Readings readings = new Readings(registry, new Catalogue(), new Counting());
  private final StatsdLines lines = new StatsdLines(new StatsdKeys("", false));

  private Counter sent(String account) {
    return registry.counter("mail", "account", account, "event", "sent");
  }

  private void active(String account, double value) {
    Gauge.builder("attempts.active", () -> value)
        .tags("account", account, "throttle", "t")
        .register(registry);
  }

  private List<String> lost() {
    return lines.of(readings.read()).stream().map(StatsdLine::text).toList();
  }

  private List<String> delivered() {
    List<StatsdLine> all = lines.of(readings.read());
    all.forEach(lines::left);
    return all.stream().map(StatsdLine::text).toList();
  }

  @Test
  void a_counter_is_sent_as_its_growth_and_a_new_one_even_if_it_is_0() {
    Counter counter = sent("a");
    assertThat(delivered()).containsExactly("gmp_sent_total.account_id_a:0|c");
    assertThat(delivered()).isEmpty();
    counter.increment();
    counter.increment(2);
    assertThat(delivered()).containsExactly("gmp_sent_total.account_id_a:3|c");
    assertThat(delivered()).isEmpty();
    lines.announceAgain();
    assertThat(delivered()).containsExactly("gmp_sent_total.account_id_a:0|c");
  }

  @Test
  void growth_that_did_not_leave_is_sent_later() {
    Counter counter = sent("a");
    counter.increment(5);
    assertThat(lost()).containsExactly("gmp_sent_total.account_id_a:5|c");
    counter.increment(2);
    assertThat(lost()).containsExactly("gmp_sent_total.account_id_a:7|c");
    assertThat(delivered()).containsExactly("gmp_sent_total.account_id_a:7|c");
    assertThat(delivered()).isEmpty();
  }

  @Test
  void a_counter_that_begins_again_is_never_negative() {
    sent("a").increment(5);
    delivered();
    registry.remove(sent("a"));
    sent("a").increment(2);
    assertThat(delivered()).containsExactly("gmp_sent_total.account_id_a:2|c");
    registry.remove(sent("a"));
    assertThat(delivered()).isEmpty();
    sent("a").increment(9);
    assertThat(delivered()).containsExactly("gmp_sent_total.account_id_a:9|c");
  }

  @Test
  void counters_of_one_key_add_up() {
    sent("a-b").increment(2);
    sent("a.b").increment(3);
    assertThat(delivered()).containsExactly("gmp_sent_total.account_id_a_b:5|c");
    sent("a.b").increment(4);
    assertThat(delivered()).containsExactly("gmp_sent_total.account_id_a_b:4|c");
    registry.remove(sent("a.b"));
    sent("a-b").increment();
    assertThat(delivered()).containsExactly("gmp_sent_total.account_id_a_b:1|c");
  }

  @Test
  void gauges_of_one_key_are_summed_and_warned_of_once() {
    active("a-b", 2);
    active("a.b", 3);
    active("c", 4);
    try (LogLines log = new LogLines()) {
      for (int i = 0; i < 3; i++) {
        assertThat(delivered())
            .containsExactlyInAnyOrder(
                "remote_delivery_attempts_active.outmta_a_b.throttle_t:5|g",
                "remote_delivery_attempts_active.outmta_c.throttle_t:4|g");
      }
      assertThat(log.lines())
          .containsOnlyOnce(
              "WARN StatsD key remote_delivery_attempts_active.outmta_a_b.throttle_t stands for"
                  + " several gauges, it shows their sum");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "-3, 0",
    "-1e-9, 0",
    "0, 0",
    "7, 7",
    "0.25, 0.25",
    "1e-7, 0",
    "0.0000015, 0.000002",
    "1e9, 1000000000",
    "1.5e17, 150000000000000000",
  })
  void a_gauge_has_neither_sign_nor_exponent(double value, String shown) {
    Gauge.builder("queue.disk.catchup", () -> value).register(registry);
    assertThat(delivered()).containsExactly("disk_queue_catchup_percentage:" + shown + "|g");
  }

  @ParameterizedTest
  @CsvSource({"NaN", "Infinity", "-Infinity"})
  void a_gauge_that_is_no_number_is_left_out(double value) {
    Gauge.builder("queue.disk.catchup", () -> value).register(registry);
    assertThat(delivered()).isEmpty();
  }

  @Test
  void a_gauge_is_in_milliseconds_where_its_key_says_so() {
    AtomicReference<Double> seconds = new AtomicReference<>(1.5);
    for (String meter : List.of("queue.disk.delay", "events.ready", "events.ready.first")) {
      Gauge.builder(meter, seconds::get).tag("destination", "sync").register(registry);
    }
    assertThat(delivered())
        .containsExactlyInAnyOrder(
            "disk_queue_scheduling_delay_milliseconds:1500|g",
            "event_delivery_ready_latency_milliseconds.destination_sync:1500|g",
            "event_delivery_first_attempt_ready_latency_seconds.destination_sync:1.5|g");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1, 0|ms",
    "1500000, 1, 1.5|ms",
    "1234567, 1, 1.235|ms",
    "60000000000, 1, 60000|ms",
    "86400000000000, 0.5, 86400000|ms|@0.5",
    "1000000, 0.33333333333, 1|ms|@0.333333",
    "1000000, 0.00001234567, 1|ms|@0.0000123457",
  })
  void a_duration_is_in_milliseconds_with_the_share_that_was_chosen(
      long nanos, double rate, String value) {
    assertThat(StatsdLine.timing("k", nanos, rate).text()).isEqualTo("k:" + value);
  }
}
