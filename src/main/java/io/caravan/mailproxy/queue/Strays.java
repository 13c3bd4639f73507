package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.message.LaneKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deliveries that are leased to this node and not in its memory: whoever leased them was told that
 * the store failed, as the connection broke within the commit. An attempt of one that is under way
 * after all finds the lease gone before its body leaves.
 */
public final class Strays {
  private static final Logger LOG = LoggerFactory.getLogger(Strays.class);

  private final Outbox outbox;
  private final Lanes lanes;
  private Map<Long, Long> suspects = Map.of();

  public Strays(Outbox outbox, Lanes lanes) {
    this.outbox = outbox;
    this.lanes = lanes;
  }

  /** Parameters for {@code leased-here.sql}. */
  public Map<String, Object> values() {
    return Map.of("node", outbox.node());
  }

  /** Frees those that were found a round ago already: a claim may not be in memory yet. */
  public synchronized void found(List<Map<String, Object>> rows) {
    Map<Long, Long> now = new HashMap<>();
    List<Row> strays = new ArrayList<>();
    for (Row row : Row.all(rows)) {
      long pk = row.number("pk");
      Long epoch = row.number("lease_epoch");
      if (!lanes.knows(pk)) {
        now.put(pk, epoch);
        if (epoch.equals(suspects.get(pk))) {
          strays.add(row);
        }
      }
    }
    suspects = now;
    if (!strays.isEmpty()) {
      free(strays);
      LOG.warn("{} deliveries that were leased and not in memory are due again", strays.size());
    }
  }

  private void free(List<Row> strays) {
    long node = outbox.node();
    outbox.commit(
        (statements, now) -> {
          for (Row row : strays) {
            statements.update(
                "give-back",
                row.text("tenant_id"),
                row.number("pk"),
                node,
                row.number("lease_epoch"));
          }
          return now;
        });
    for (Row row : strays) {
      lanes.waitingAny(new LaneKey(row.number("account_pk"), row.number("rule_pk")), 0);
    }
  }
}
