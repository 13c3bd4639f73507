package io.caravan.mailproxy.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.message.LaneKey;
import java.util.concurrent.TimeUnit;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class CatchUpTest {
  private static final Offset<Double> EXACT = Offset.offset(1e-9);

  private long now = TimeUnit.SECONDS.toNanos(1_000);
  private final CatchUp catchUp = new CatchUp(() -> now);

  private void after(double seconds) {
    now += (long) (seconds * 1e9);
  }

  @Test
  void it_is_the_share_of_the_last_minute_in_which_a_lane_was_behind() {
    after(100.3);
    assertThat(catchUp.share()).isZero();
    catchUp.lane(LaneKey.of(1), true);
    after(6);
    assertThat(catchUp.share()).isCloseTo(0.1, EXACT);
    catchUp.lane(LaneKey.of(2), true);
    catchUp.lane(LaneKey.of(1), false);
    after(3);
    assertThat(catchUp.share()).as("another lane still is").isCloseTo(0.15, EXACT);
    catchUp.lane(LaneKey.of(2), false);
    after(30);
    assertThat(catchUp.share()).isCloseTo(0.15, EXACT);
    after(24);
    assertThat(catchUp.share()).as("the first seconds are too long ago").isBetween(0.08, 0.12);
    after(60);
    assertThat(catchUp.share()).isZero();
  }

  @Test
  void it_is_at_most_one() {
    catchUp.lane(LaneKey.of(1), true);
    after(59.5);
    assertThat(catchUp.share()).isCloseTo(59.5 / 60, EXACT);
    after(1_000);
    assertThat(catchUp.share()).isEqualTo(1);
    catchUp.lane(LaneKey.of(1), false);
    after(59);
    assertThat(catchUp.share()).isBetween(0.0, 0.02);
  }
}
