package io.caravan.mailproxy.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.InstantSource;
import org.junit.jupiter.api.Test;

class IdsTest {
  @Test
  void keys_grow_and_leave_room_for_deliveries() {
    Ids ids = new Ids(InstantSource.system(), () -> 0, 0);
    long previous = ids.next();
    for (int i = 0; i < 100_000; i++) {
      long next = ids.next();
      assertThat(next - previous).isGreaterThanOrEqualTo(Ids.DELIVERIES_PER_MESSAGE);
      previous = next;
    }
  }

  @Test
  void keys_grow_over_a_restart_with_a_clock_that_went_back() {
    long greatest = Long.MAX_VALUE / 2;

    assertThat(new Ids(InstantSource.system(), () -> 0, greatest).next()).isGreaterThan(greatest);
  }
}
