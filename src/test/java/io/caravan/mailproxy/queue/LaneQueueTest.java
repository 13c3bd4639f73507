package io.caravan.mailproxy.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Priority;
import io.caravan.mailproxy.message.Quota;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class LaneQueueTest {
  /** Accounts 1 to 9 take as many attempts at the same time as their number says. */
  static final Directory ACCOUNTS =
      new Directory() {
        @Override
        public Optional<Account> account(String tenantId, String accountId) {
          return Optional.empty();
        }

        @Override
        public Optional<Account> account(long pk) {
          return Optional.of(
              new Account(
                  pk,
                  1,
                  "t",
                  "a" + pk,
                  Account.Type.RELAY,
                  "h",
                  25,
                  null,
                  null,
                  null,
                  300,
                  (int) pk,
                  0,
                  null,
                  null,
                  null,
                  null,
                  false,
                  Quota.NONE));
        }

        @Override
        public List<String> tenantsWithAccount(String accountId) {
          return List.of();
        }
      };

  private final Lanes lanes = new Lanes(ACCOUNTS, InstantSource.system(), 1_000, 1 << 20);
  private final LaneQueue<Delivery> queue = new LaneQueue<>(lanes, Function.identity(), 100);

  @Test
  void gives_out_by_priority_and_first_in_first_out_within() {
    queue.add(delivery(1, 9, Priority.LOW));
    queue.add(delivery(2, 9, Priority.MEDIUM));
    queue.add(delivery(3, 9, Priority.IMMEDIATE));
    queue.add(delivery(4, 9, Priority.MEDIUM));

    assertThat(given(4)).containsExactly(3L, 2L, 4L, 1L);
  }

  @Test
  void lanes_of_one_priority_take_turns() {
    for (int i = 0; i < 3; i++) {
      queue.add(delivery(10 + i, 8, Priority.MEDIUM));
    }
    for (int i = 0; i < 3; i++) {
      queue.add(delivery(20 + i, 9, Priority.MEDIUM));
    }

    assertThat(given(6)).containsExactly(10L, 20L, 11L, 21L, 12L, 22L);
  }

  @Test
  void a_lane_gets_no_more_attempts_at_once_than_its_account_has_connections() {
    Delivery first = delivery(1, 1, Priority.IMMEDIATE);
    queue.add(first);
    queue.add(delivery(2, 1, Priority.IMMEDIATE));
    queue.add(delivery(3, 2, Priority.LOW));

    assertThat(given(2)).as("a full lane holds up no other").containsExactly(1L, 3L);
    assertThat(queue.poll()).isNull();
    lanes.finish(first);
    assertThat(given(1)).containsExactly(2L);
  }

  @Test
  void no_account_takes_the_last_slots_whatever_its_connections() {
    LaneQueue<Delivery> twenty = new LaneQueue<>(lanes, Function.identity(), 20);
    for (int pk = 1; pk <= 30; pk++) {
      twenty.add(delivery(pk, 50, Priority.IMMEDIATE));
      twenty.add(delivery(100 + pk, 40, Priority.LOW));
    }
    List<Delivery> started = new ArrayList<>();
    for (Delivery next = twenty.poll(); next != null; next = twenty.poll()) {
      started.add(next);
    }
    assertThat(started).extracting(Delivery::accountPk).filteredOn(pk -> pk == 50).hasSize(17);
    assertThat(started).extracting(Delivery::accountPk).filteredOn(pk -> pk == 40).hasSize(2);
    twenty.add(delivery(200, 30, Priority.LOW));
    assertThat(twenty.poll().accountPk()).as("who has none").isEqualTo(30);
    assertThat(twenty.poll()).isNull();
    lanes.finish(started.get(0));
    assertThat(twenty.poll()).as("it is kept for such again").isNull();
    lanes.finish(started.get(1));
    assertThat(twenty.poll().accountPk()).as("who has fewer").isEqualTo(40);
  }

  @Test
  void the_bound_holds_over_all_queues() {
    LaneQueue<Delivery> retries = new LaneQueue<>(lanes, Function.identity(), 100);
    Delivery first = delivery(1, 1, Priority.MEDIUM);
    queue.add(first);
    retries.add(delivery(2, 1, Priority.MEDIUM));

    assertThat(given(1)).containsExactly(1L);
    assertThat(retries.poll()).isNull();
    lanes.finish(first);
    assertThat(retries.poll()).isNotNull();
  }

  @Test
  void who_waits_is_woken_by_an_end_of_an_attempt() throws Exception {
    Delivery first = delivery(1, 1, Priority.MEDIUM);
    queue.add(first);
    queue.add(delivery(2, 1, Priority.MEDIUM));
    assertThat(given(1)).containsExactly(1L);
    CompletableFuture<Delivery> waiting =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return queue.poll(30, TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });

    lanes.finish(first);

    assertThat(waiting.get(10, TimeUnit.SECONDS).pk()).isEqualTo(2);
  }

  @Test
  void a_retired_queue_gives_out_nothing_and_gives_all_back() throws Exception {
    List<Delivery> back = new ArrayList<>();
    queue.add(delivery(1, 1, Priority.MEDIUM));

    queue.retire(back::addAll);
    queue.add(delivery(2, 1, Priority.MEDIUM));

    assertThat(queue.poll(1, TimeUnit.HOURS)).isNull();
    assertThat(queue).isEmpty();
    assertThat(back).extracting(Delivery::pk).containsExactly(1L, 2L);
  }

  @Test
  void what_stands_still_for_long_is_taken_out_and_the_rest_stays() {
    long now = System.currentTimeMillis();
    for (int account = 1; account <= 3; account++) {
      queue.add(delivery(account, account, Priority.MEDIUM));
    }
    queue.add(delivery(4, 1, Priority.LOW));
    lanes.close(1L, "limit:day", now + 3_600_000);
    lanes.close(LaneKey.of(2), "limit:minute", now + 4_000);

    assertThat(new StandingLanes(InstantSource.system(), lanes).withdraw())
        .extracting(Delivery::pk)
        .containsExactly(1L, 4L);

    assertThat(queue).hasSize(2);
    assertThat(given(1)).containsExactly(3L);
    lanes.lift(account -> account == 2, "limit:");
    assertThat(given(1)).containsExactly(2L);
    assertThat(lanes.stoppedUntil(LaneKey.of(1))).isEqualTo(now + 3_600_000);
  }

  @Test
  void size_and_iteration_see_what_waits() {
    queue.add(delivery(1, 1, Priority.MEDIUM));
    queue.add(delivery(2, 2, Priority.LOW));

    assertThat(queue).hasSize(2);
    assertThat(queue.stream().map(Delivery::pk)).containsExactlyInAnyOrder(1L, 2L);
    List<Delivery> drained = new ArrayList<>();
    queue.drainTo(drained, 1);
    assertThat(drained).extracting(Delivery::pk).containsExactly(1L);
    assertThat(queue).hasSize(1);
  }

  private List<Long> given(int count) {
    List<Long> keys = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Delivery next = queue.poll();
      assertThat(next).as("element " + i).isNotNull();
      keys.add(next.pk());
    }
    return keys;
  }

  private static Delivery delivery(long pk, long account, Priority priority) {
    return new Delivery(
        "t", pk, pk, LaneKey.of(account), 1, priority, 0, 0, 10, null, List.of(), null);
  }
}
