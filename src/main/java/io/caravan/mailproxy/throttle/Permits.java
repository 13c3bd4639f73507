package io.caravan.mailproxy.throttle;

import io.caravan.mailproxy.message.LaneKey;
import java.util.List;
import java.util.Optional;

/**
 * The permits of one scope on this node: a block reserved in the ledger, from which transactions
 * begin without asking it. All of the block counts as open there, so that nothing here has to
 * survive.
 */
final class Permits {
  /** A kill costs what is reserved: a block is at most this part of the least limit. */
  private static final long PARTS = 10;

  private final LaneKey scope;
  private List<Limit> limits = List.of();

  /** Reserved, and not in use. */
  private long available;

  /** In use by transactions under way. */
  private long inUse;

  /** Reserved, and to be given back with the next entry. */
  private long returned;

  /** In use, and counted by others already: their ends are nobody's business any more. */
  private long forgotten;

  /** Of transactions that ended since the ledger was told last. */
  private long ended;

  /** Taken since the last {@link #round} and in the one before it. */
  private long taken;

  private long takenBefore;

  /** What could still be reserved when the ledger was asked last. */
  private long left;

  /**
   * Whether an entry is on its way: what it gives back is neither here nor there, so that a second
   * one would be refused what is free.
   */
  private boolean booking;

  /** Why nothing was left then. */
  private Optional<Usage> spent = Optional.empty();

  Permits(LaneKey scope) {
    this.scope = scope;
  }

  LaneKey scope() {
    return scope;
  }

  /** The limits may have changed: what was reserved and known under others holds no more. */
  synchronized void limits(List<Limit> now) {
    if (!limits.equals(now)) {
      limits = now;
      returned += available;
      available = 0;
      spent = Optional.empty();
      left = 0;
    }
  }

  /** Takes a permit of the block, if there is one. */
  synchronized boolean take() {
    if (available == 0) {
      return false;
    }
    available--;
    inUse++;
    taken++;
    return true;
  }

  /**
   * A permit was not used: another one may have it.
   *
   * @return whether the scope was known to be spent, so that who waits for it may go on
   */
  synchronized boolean giveBack() {
    if (endForgotten()) {
      return false;
    }
    boolean was = spent.isPresent();
    available++;
    inUse--;
    taken--;
    spent = Optional.empty();
    notifyAll();
    return was;
  }

  /** A transaction ended: it counts from now on. */
  synchronized void end() {
    if (endForgotten()) {
      return;
    }
    inUse--;
    ended++;
    notifyAll();
  }

  /**
   * All that was reserved here counts as used in the ledger. Which of the transactions under way
   * were meant does not matter: as many ends as there were go untold.
   */
  synchronized void forget() {
    awaitBooked();
    forgotten += inUse;
    inUse = 0;
    available = 0;
    returned = 0;
    ended = 0;
    spent = Optional.empty();
    left = 0;
  }

  private boolean endForgotten() {
    if (forgotten == 0) {
      return false;
    }
    forgotten--;
    notifyAll();
    return true;
  }

  /** When there will be a permit, as far as is known without asking; empty: ask. */
  synchronized Optional<Usage> knownSpent(long now) {
    return spent.filter(usage -> usage.freeAt() > now && usage.certain());
  }

  /** Deliveries worth holding in memory: so many have a permit, or could have one, and one asks. */
  synchronized long worth() {
    return Math.max(1, inUse + available + left);
  }

  /** What to ask of the ledger when the block is empty: as many as were taken lately, or one. */
  synchronized Ledger.Entry question() {
    awaitBooked();
    return entry(available > 0 ? 0 : Math.max(1, block(Math.max(taken, takenBefore))));
  }

  /** A question that wants nothing. */
  synchronized Ledger.Entry look() {
    awaitBooked();
    return entry(0);
  }

  /**
   * What to book in a round: ends are told, the block becomes half as much again as was taken
   * lately, so that most of its time nobody has to ask.
   *
   * @return empty: nothing to tell, or someone is telling it
   */
  synchronized Optional<Ledger.Entry> round() {
    if (booking) {
      return Optional.empty();
    }
    long target = block(Math.max(taken, takenBefore) * 3 / 2);
    takenBefore = taken;
    taken = 0;
    long surplus = Math.max(0, available - target);
    available -= surplus;
    returned += surplus;
    long missing = Math.max(0, target - available);
    boolean quiet = ended == 0 && returned == 0 && (missing == 0 || spent.isPresent());
    return quiet ? Optional.empty() : Optional.of(entry(missing));
  }

  private long block(long wanted) {
    long least = limits.stream().mapToLong(Limit::most).min().orElse(0);
    return Math.min(wanted, least / PARTS);
  }

  /** The last one: nothing is kept. */
  synchronized Ledger.Entry last() {
    awaitBooked();
    returned += available;
    available = 0;
    return entry(0);
  }

  private Ledger.Entry entry(long wanted) {
    Ledger.Entry entry = new Ledger.Entry(scope, ended, returned, wanted, limits);
    ended = 0;
    returned = 0;
    booking = true;
    return entry;
  }

  /** One entry at a time; who asks for two scopes asks for the account's first. */
  private void awaitBooked() {
    boolean interrupted = false;
    while (booking) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** The ledger booked it. */
  synchronized void booked(Ledger.Entry entry, Ledger.State state) {
    if (!entry.limits().equals(limits)) {
      returned += state.granted();
    } else {
      available += state.granted();
      left = state.left();
      spent = available > 0 || left > 0 ? Optional.empty() : state.usage();
    }
    booking = false;
    notifyAll();
  }

  /** The ledger did not book it. */
  synchronized void failed(Ledger.Entry entry) {
    ended += entry.ended();
    returned += entry.returned();
    booking = false;
    notifyAll();
  }

  /**
   * Waits until a permit ended or came back of which the ledger does not know yet.
   *
   * @param atMostMillis milliseconds
   */
  synchronized void await(long atMostMillis) throws InterruptedException {
    long deadline = System.nanoTime() + atMostMillis * 1_000_000;
    while (available == 0 && ended == 0) {
      long wait = (deadline - System.nanoTime()) / 1_000_000;
      if (wait <= 0) {
        return;
      }
      wait(wait);
    }
  }
}
