package io.caravan.mailproxy.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.queue.Cursors.Place;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A walk over a list that has far more messages than a page. */
class MessageWalkTest {
  private static final MessageFilter WAITING = MessageFilter.all("acme", true);

  private static MessageWalk walk(Place from, int limit, boolean bounded) {
    return new MessageWalk(WAITING, "walk-messages", List.of(), from, limit, bounded);
  }

  /** A piece as long as it may be; returns how long that is. */
  private static int look(MessageWalk walk, String kept) {
    int look = (Integer) walk.getValues().get("look");
    long after = (Long) walk.getValues().get("after");
    walk.looked(List.of(Map.of("looked", look, "last", after + look, "keys", "[1]")));
    walk.keepOnly(List.of(Map.of("keys", kept)));
    return look;
  }

  @Test
  void a_page_that_finds_nothing_ends_and_the_next_goes_on_behind_it() {
    MessageWalk walk = walk(new Place(2, 1_000), 100, true);
    int looked = 0;
    while (walk.isMore()) {
      looked += look(walk, "[]");
    }
    assertThat(looked).isBetween(10_000, 15_000);
    assertThat(walk.keys()).isEmpty();
    assertThat(walk.next()).isEqualTo(new Place(2, 1_000 + looked));
  }

  @Test
  void a_list_without_pages_looks_until_it_has_enough() {
    MessageWalk walk = walk(Place.START, 2, false);
    for (int i = 0; i < 20; i++) {
      look(walk, "[]");
    }
    assertThat(walk.isMore()).isTrue();
    look(walk, "[7,5,9,8]");
    assertThat(walk.isMore()).isFalse();
    assertThat(walk.keys()).containsExactly(5L, 7L);
    assertThat(walk.next()).isEqualTo(new Place(0, 7));
  }

  @Test
  void it_goes_through_all_priorities() {
    MessageWalk walk = walk(Place.START, 9, true);
    for (int level = 0; level < 4; level++) {
      assertThat(walk.getValues()).containsEntry("priority", level);
      walk.looked(List.of(Map.of("looked", 1, "last", 5L, "keys", "[5]")));
      walk.keepOnly(List.of(Map.of("keys", "[5]")));
    }
    assertThat(walk.isMore()).isFalse();
    assertThat(walk.keys()).hasSize(4);
    assertThat(walk.next()).as("there is nothing more").isNull();
  }
}
