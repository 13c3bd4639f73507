package io.caravan.mailproxy.admin;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.http.Problem;
import java.util.List;
import java.util.Map;

/** Asks the store for accounts that are not known here: another node may just have made them. */
final class NewAccounts {
  /** So long one that was not there is not asked for again, as for the next message. */
  private static final long MISSED_NANOS = 50_000_000;

  private final Database database;
  private List<String> missed = List.of();
  private long missedNanos;

  NewAccounts(Database database) {
    this.database = database;
  }

  /**
   * The account's row, if there is one.
   *
   * @throws Problem 503 the store does not answer
   */
  synchronized List<Map<String, Object>> look(String tenantId, String accountId) {
    List<String> key = List.of(tenantId, accountId);
    long begun = System.nanoTime();
    if (key.equals(missed) && begun - missedNanos < MISSED_NANOS) {
      return List.of();
    }
    try {
      List<Map<String, Object>> rows = database.rows("find-account", tenantId, accountId);
      if (rows.isEmpty()) {
        missed = key;
        missedNanos = begun;
      }
      return rows;
    } catch (IllegalStateException e) {
      throw new Problem(503, "store_unavailable", "The store does not answer, try again");
    }
  }
}
