package io.caravan.mailproxy.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.telemetry.Backlog;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How late the earliest due delivery is (telemetry.md R15): what stands still is not late. */
class SchedulingDelayTest {
  private static final long NOW = 1_000_000_000_000L;

  private final InstantSource clock = InstantSource.fixed(Instant.ofEpochMilli(NOW));
  private final Lanes lanes = new Lanes(LaneQueueTest.ACCOUNTS, clock, 1_000, 1 << 20);
  private final Backlog backlog = new Backlog(clock, lanes);

  private double delayWith(long first, long second) {
    backlog.seen(List.of(row(1, first), row(2, second)));
    return backlog.delaySeconds();
  }

  private static Map<String, Object> row(long account, long dueAt) {
    return Map.of("account_pk", account, "rule_pk", 0L, "due_at", dueAt);
  }

  @Test
  void only_what_may_go_can_be_late() {
    assertThat(delayWith(NOW - 9_000, NOW - 4_000)).isEqualTo(9);
    lanes.close(LaneKey.of(1), "limit:hour", NOW + 3_600_000);
    assertThat(delayWith(NOW - 9_000, NOW - 4_000)).isEqualTo(4);
    lanes.close(2, "circuit", Long.MAX_VALUE);
    assertThat(delayWith(NOW - 9_000, NOW - 4_000)).isZero();
    lanes.open(LaneKey.of(1), "limit:hour");
    assertThat(delayWith(NOW - 9_000, NOW - 4_000)).isEqualTo(9);
    backlog.seen(List.of());
    assertThat(backlog.delaySeconds()).isZero();
  }
}
