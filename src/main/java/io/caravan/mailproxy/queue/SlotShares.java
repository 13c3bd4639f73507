package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.Delivery;
import java.util.HashMap;
import java.util.Map;

/**
 * How many of a queue's slots each account has. The last ones are for accounts that have none: else
 * mails at relays that hang would stop all others. Guarded by {@link LaneQueue}.
 */
final class SlotShares {
  /** An account may have so many times as many slots as it leaves free. */
  private static final int TIMES_FREE = 8;

  /** Which part of the slots is for accounts that have none. */
  private static final int SPARE = 20;

  private final int slots;
  private final Map<Long, Long> accounts = new HashMap<>();
  private final Map<Long, Integer> taken = new HashMap<>();

  /**
   * @param slots how many there are, 1 and more
   */
  SlotShares(int slots) {
    this.slots = slots;
  }

  /** Whether an account may have one more. */
  boolean mayTake(long accountPk) {
    int has = taken.getOrDefault(accountPk, 0);
    return has == 0 || has < TIMES_FREE * (slots - accounts.size() - slots / SPARE);
  }

  void take(Delivery delivery) {
    accounts.put(delivery.pk(), delivery.accountPk());
    taken.merge(delivery.accountPk(), 1, Integer::sum);
  }

  /** Its slot is free; nothing happens where it has none of these. */
  void free(Delivery delivery) {
    Long account = accounts.remove(delivery.pk());
    if (account != null) {
      taken.computeIfPresent(account, (pk, has) -> has == 1 ? null : has - 1);
    }
  }
}
