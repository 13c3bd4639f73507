package io.caravan.mailproxy.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Priority;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Room, order and age (DESIGN 5, DECISIONS "Intake"). */
class LanesTest {
  private static final int PLACES = 3_000;
  private static final LaneKey LANE = LaneKey.of(9);

  private final Lanes lanes =
      new Lanes(LaneQueueTest.ACCOUNTS, InstantSource.system(), PLACES, 1 << 30);

  @Test
  void new_mail_queues_up_behind_what_is_due_of_its_priority_or_a_higher_one() throws Exception {
    lanes.waiting(LANE, Priority.MEDIUM, 0);

    assertThat(lanes.reserve(LANE, Priority.LOW, 10)).isFalse();
    assertThat(lanes.reserve(LANE, Priority.MEDIUM, 10)).isFalse();
    assertThat(lanes.reserve(LANE, Priority.HIGH, 10)).isTrue();
    assertThat(lanes.reserve(LANE, Priority.IMMEDIATE, 10)).isTrue();
    assertThat(lanes.reserve(LaneKey.of(8), Priority.LOW, 10)).as("another lane").isTrue();

    LaneRoom order = lanes.awaitRoom(0).get(0);
    assertThat(order.lane()).isEqualTo(LANE);
    lanes.claimed(order, List.of(delivery(1, Priority.MEDIUM)));
    assertThat(lanes.reserve(LANE, Priority.LOW, 10)).as("all that was due is claimed").isTrue();
  }

  /** Somebody has to: the store may have failed between the claim and the look for what is next. */
  @Test
  void a_lane_of_which_nobody_says_when_it_has_work_again_is_claimed_from_again() throws Exception {
    AtomicLong millis = new AtomicLong(1);
    Lanes asked =
        new Lanes(
            LaneQueueTest.ACCOUNTS, () -> Instant.ofEpochMilli(millis.get()), PLACES, 1 << 30);
    asked.waiting(LANE, Priority.MEDIUM, 0);
    LaneRoom order = asked.awaitRoom(0).get(0);
    asked.claimed(order, List.of(delivery(1, Priority.MEDIUM)));
    assertThat(asked.awaitRoom(0)).isEmpty();
    millis.addAndGet(1_000);
    LaneRoom again = asked.awaitRoom(0).get(0);
    assertThat(again.lane()).isEqualTo(LANE);

    asked.claimed(again, List.of());
    asked.drained(again, Long.MAX_VALUE);
    millis.addAndGet(1_000);
    assertThat(asked.awaitRoom(0)).as("it is told that there is nothing").isEmpty();
  }

  @Test
  void a_long_queue_leaves_room_for_other_lanes_and_for_what_is_urgent() {
    int first = fill(LANE);
    int second = fill(LaneKey.of(8));
    int third = fill(LaneKey.of(7));

    assertThat(first).isBetween(PLACES * 2 / 3 - 2, PLACES * 2 / 3 + 2);
    assertThat(second).isGreaterThanOrEqualTo(8 * 8).isLessThan(first);
    assertThat(third).isGreaterThanOrEqualTo(7 * 8);
    assertThat(lanes.reserve(LANE, Priority.IMMEDIATE, 10)).isTrue();
  }

  @Test
  void nothing_is_held_for_a_lane_that_stands_still() throws Exception {
    lanes.close(LANE, "limit:day", Long.MAX_VALUE);
    assertThat(lanes.reserve(LANE, Priority.IMMEDIATE, 10)).isFalse();
    lanes.waiting(LANE, Priority.IMMEDIATE, 0);
    assertThat(lanes.awaitRoom(0)).isEmpty();

    lanes.probe(9, "limit:day");
    assertThat(lanes.awaitRoom(0)).as("the cause is the lane's, not its account's").isEmpty();
    lanes.open(LANE, "limit:day");
    assertThat(lanes.awaitRoom(0)).extracting(LaneRoom::lane).containsExactly(LANE);
  }

  @Test
  void a_probe_lets_one_pass() throws Exception {
    lanes.close(9, "circuit", Long.MAX_VALUE);
    lanes.waiting(LANE, Priority.LOW, 0);
    lanes.probe(9, "circuit");

    LaneRoom order = lanes.awaitRoom(0).get(0);
    assertThat(order.room()).isEqualTo(1);
    LaneQueue<Delivery> queue = new LaneQueue<>(lanes, Function.identity(), 100);
    queue.add(delivery(1, Priority.LOW));
    queue.add(delivery(2, Priority.LOW));
    assertThat(queue.poll()).isNotNull();
    assertThat(queue.poll()).isNull();
  }

  @Test
  void low_priority_has_its_turn_though_higher_ones_never_end() {
    LaneQueue<Delivery> queue = new LaneQueue<>(lanes, Function.identity(), 100);
    queue.add(delivery(0, Priority.LOW));
    int given = 0;
    boolean low = false;
    while (!low && given < 1_000) {
      queue.add(delivery(++given, Priority.IMMEDIATE));
      Delivery next = queue.poll();
      assertThat(next).isNotNull();
      low = next.priority() == Priority.LOW;
      lanes.finish(next);
    }

    assertThat(low).isTrue();
    assertThat(given).as("urgent mail is not held up by every second one").isGreaterThan(30);
  }

  private int fill(LaneKey lane) {
    int taken = 0;
    while (lanes.reserve(lane, Priority.MEDIUM, 10)) {
      taken++;
    }
    return taken;
  }

  private static Delivery delivery(long pk, Priority priority) {
    return new Delivery("t", pk, pk, LANE, 1, priority, 0, 0, 10, null, List.of(), null);
  }
}
