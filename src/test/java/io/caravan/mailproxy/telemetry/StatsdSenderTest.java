package io.caravan.mailproxy.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.endtoend.LogLines;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Lines over UDP: in packets of a bounded size, and no harm where nobody takes them. */
class StatsdSenderTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  private final List<StatsdLine> left = new ArrayList<>();

  private static List<StatsdLine> lines(int count, int length) {
    return IntStream.range(0, count)
        .mapToObj(i -> StatsdLine.counter(("k" + i + "_" + "x".repeat(length)), i))
        .toList();
  }

  private boolean send(StatsdSender sender, List<StatsdLine> lines) {
    return sender.send(lines, left::add);
  }

  @Test
  void packets_are_full_and_under_the_bound() {
    try (UdpSink sink = new UdpSink(0)) {
      StatsdSender sender = new StatsdSender("127.0.0.1", sink.port());
      List<StatsdLine> lines = lines(2_000, 40);
      send(sender, lines);
      await().atMost(SOON).until(() -> sink.lines().size() == lines.size());

      assertThat(sink.lines()).containsExactlyElementsOf(texts(lines));
      assertThat(left).isEqualTo(lines);
      List<String> packets = sink.packets();
      assertThat(packets).allMatch(packet -> packet.length() < StatsdSender.MAX_PACKET);
      assertThat(packets.subList(0, packets.size() - 1)).allMatch(p -> p.length() > 1_340);
      assertThat(sender.sent()).isEqualTo(2_000);
      assertThat(sender.dropped()).isZero();
      sender.close("");
    }
  }

  @Test
  void a_line_of_the_greatest_length_is_sent_and_a_longer_one_dropped() {
    try (UdpSink sink = new UdpSink(0)) {
      StatsdSender sender = new StatsdSender("127.0.0.1", sink.port());
      StatsdLine before = StatsdLine.counter("before", 1);
      StatsdLine longest = StatsdLine.counter("y".repeat(1_395), 1);
      StatsdLine tooLong = StatsdLine.counter("z".repeat(1_396), 1);
      StatsdLine after = StatsdLine.counter("after", 1);
      assertThat(longest.text()).hasSize(1_399);
      send(sender, List.of(before, longest, tooLong, after));
      await().atMost(SOON).until(() -> sink.lines().contains("after:1|c"));

      assertThat(left).containsExactly(before, longest, after);
      assertThat(sink.packets()).containsExactlyElementsOf(texts(left));
      assertThat(sender.dropped()).isEqualTo(1);
      sender.close("");
    }
  }

  @Test
  void a_name_without_address_drops_all_and_is_warned_of_once() {
    try (LogLines log = new LogLines()) {
      StatsdSender sender = new StatsdSender("no-such-host.invalid", 8125);
      for (int i = 0; i < 3; i++) {
        assertThat(send(sender, lines(50, 40))).isFalse();
      }
      assertThat(left).isEmpty();
      assertThat(sender.sent()).isZero();
      assertThat(sender.dropped()).isEqualTo(150);
      assertThat(log.lines())
          .filteredOn(line -> line.contains("no-such-host"))
          .containsExactly(
              "WARN StatsD server no-such-host.invalid:8125 is away, lines are dropped: its name"
                  + " has no address");
    }
  }

  @Test
  void a_port_where_nobody_listens_is_told_of_once_and_so_is_its_return() {
    int port;
    try (UdpSink gone = new UdpSink(0)) {
      port = gone.port();
    }
    try (LogLines log = new LogLines()) {
      StatsdSender sender = new StatsdSender("127.0.0.1", port);
      await().atMost(SOON).until(() -> !send(sender, lines(100, 40)) && sender.dropped() > 0);
      for (int i = 0; i < 5; i++) {
        assertThat(send(sender, lines(100, 40))).isFalse();
      }
      // all but the packet that is on its way: each other one came back
      assertThat(sender.dropped()).isGreaterThan(sender.sent() / 2);
      try (UdpSink back = new UdpSink(port)) {
        await().atMost(SOON).until(() -> send(sender, lines(1, 1)));
        assertThat(send(sender, lines(1, 2))).isFalse();
        await().atMost(SOON).until(() -> back.lines().contains("k0_xx:0|c"));
      }
      assertThat(log.lines())
          .filteredOn(line -> line.contains("StatsD server"))
          .containsExactly(
              "WARN StatsD server 127.0.0.1:"
                  + port
                  + " is away, lines are dropped: nothing listens there",
              "INFO StatsD server 127.0.0.1:" + port + " is back");
      sender.close("");
    }
  }

  private static List<String> texts(List<StatsdLine> lines) {
    return lines.stream().map(StatsdLine::text).toList();
  }
}
