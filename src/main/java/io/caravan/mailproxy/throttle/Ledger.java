package io.caravan.mailproxy.throttle;

import io.caravan.mailproxy.message.LaneKey;
import java.util.List;
import java.util.Optional;

/**
 * The shared decision maker: knows of all permits of all nodes, and forgets none. A scope is a
 * lane; with {@link LaneKey#DEFAULT_RULE} it is the account over all its lanes.
 */
public interface Ledger {

  /**
   * What one scope has to say and to ask.
   *
   * @param ended permits whose transactions ended: they count from now on
   * @param returned permits that were not used: they count no more
   * @param wanted permits to reserve
   */
  record Entry(LaneKey scope, long ended, long returned, long wanted, List<Limit> limits) {}

  /**
   * The answer.
   *
   * @param granted permits reserved, 0 to {@code wanted}
   * @param left what could be reserved beyond them
   * @param usage empty: the scope has no limit
   */
  record State(long granted, long left, Optional<Usage> usage) {}

  /** Books entries in one transaction; when it returns, all of it is on disk. */
  List<State> book(List<Entry> entries);

  /** Scopes of which anything is known. */
  List<LaneKey> scopes();

  /** A round trip that asks nothing. */
  void ping();

  /**
   * Calls back when all that was granted here counts as used: others took it over. What is booked
   * from then on is booked anew.
   */
  default void onLost(Runnable forget) {}
}
