package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.LaneKey;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Table {@code throttle_rule}, changed as a whole. */
public final class RuleStore {
  private final Outbox outbox;
  private final Lanes lanes;

  public RuleStore(Outbox outbox, Lanes lanes) {
    this.outbox = outbox;
    this.lanes = lanes;
  }

  /**
   * Puts rules in the place of all: a rule keeps its key by its name, and what waits under a rule
   * that is gone waits under none.
   *
   * @param rules a JSON array, the first that matches first
   * @return all rows of the table, in order
   */
  public List<Map<String, Object>> replace(String rules) {
    Set<Long> moved = new HashSet<>();
    List<Map<String, Object>> rows =
        outbox.commit(
            (statements, now) -> {
              statements.update("delete-rules", rules);
              statements.update("upsert-rules", rules);
              moved.clear();
              try (ResultSet accounts = statements.query("move-from-rules")) {
                while (accounts.next()) {
                  moved.add(accounts.getLong("account_pk"));
                }
              }
              try (ResultSet all = statements.query("throttle-rules")) {
                return rows(all);
              }
            });
    moved.forEach(account -> lanes.waitingAny(LaneKey.of(account), 0));
    return rows;
  }

  private static List<Map<String, Object>> rows(ResultSet all) throws SQLException {
    ResultSetMetaData columns = all.getMetaData();
    List<Map<String, Object>> rows = new ArrayList<>();
    while (all.next()) {
      Map<String, Object> row = new HashMap<>();
      for (int i = 1; i <= columns.getColumnCount(); i++) {
        row.put(columns.getColumnLabel(i), all.getObject(i));
      }
      rows.add(row);
    }
    return rows;
  }
}
