package io.caravan.mailproxy.throttle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Windows and what stands in them, held against a list of all moments. */
class WindowTest {
  private static final long NOON = 1_790_000_000_000L;

  /**
   * Begins wherever there is room, ends later, and looks at every stretch of the window's length.
   */
  @ParameterizedTest
  @EnumSource(Window.class)
  void no_stretch_of_time_holds_more_than_the_limit(Window window) {
    Random random = new Random(7);
    long span = window.seconds() * 1_000L;
    Limit limit = new Limit(window, 5);
    Map<Long, Long> buckets = new HashMap<>();
    PriorityQueue<Long> open = new PriorityQueue<>();
    List<Long> seen = new ArrayList<>();
    int refused = 0;
    long now = NOON;
    for (int step = 0; step < 20_000; step++) {
      now += random.nextLong(span / 40);
      while (!open.isEmpty() && open.peek() <= now) {
        buckets.merge(window.bucket(open.remove()), 1L, Long::sum);
      }
      long old = window.bucket(now - 2 * span);
      buckets.keySet().removeIf(bucket -> bucket < old);
      if (tally(window, open.size(), buckets).left(List.of(limit), now) == 0) {
        refused++;
        continue;
      }
      long end = now + random.nextLong(span / 20);
      seen.add(now + random.nextLong(end - now + 1));
      open.add(end);
    }
    seen.sort(null);
    for (int i = 5; i < seen.size(); i++) {
      assertThat(seen.get(i) - seen.get(i - 5)).as("six in a row").isGreaterThan(span);
    }
    assertThat(refused).isGreaterThan(1_000);
    assertThat(seen.size()).as("and nearly all that may be").isGreaterThan(1_000);
  }

  @ParameterizedTest
  @EnumSource(Window.class)
  void a_permit_is_free_when_it_is_said_and_not_before(Window window) {
    Random random = new Random(11);
    List<Limit> limits = List.of(new Limit(window, 20));
    for (int round = 0; round < 500; round++) {
      Map<Long, Long> buckets = new HashMap<>();
      for (int i = 0; i < 20 + random.nextInt(10); i++) {
        long ended = NOON - random.nextLong(window.seconds() * 1_000L);
        buckets.merge(window.bucket(ended), 1L, Long::sum);
      }
      long open = random.nextInt(20);
      Usage usage = tally(window, open, buckets).usage(limits, NOON).orElseThrow();

      assertThat(usage.spent()).isTrue();
      assertThat(usage.certain()).isTrue();
      assertThat(tally(window, open, buckets).left(limits, usage.freeAt() - 1)).isZero();
      assertThat(tally(window, open, buckets).left(limits, usage.freeAt())).isPositive();
    }
    Usage full = tally(window, 20, Map.of()).usage(limits, NOON).orElseThrow();
    assertThat(full.certain()).as("what is open ends at no known time").isFalse();
    assertThat(full.freeAt()).isEqualTo(window.freeAt(window.bucket(NOON)));
  }

  private static Tally tally(Window window, long open, Map<Long, Long> buckets) {
    Tally tally = new Tally(open);
    buckets.forEach((bucket, used) -> tally.ended(window.seconds(), bucket, used));
    return tally;
  }
}
