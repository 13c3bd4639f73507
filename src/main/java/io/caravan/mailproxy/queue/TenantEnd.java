package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Row;
import java.util.List;
import java.util.Map;

/** {@code DELETE /tenant/{id}}: nothing of it starts while its messages are deleted. */
public final class TenantEnd {
  private static final String CAUSE = "end of the tenant";

  private final Lanes lanes;
  private final Suspensions suspensions;

  public TenantEnd(Lanes lanes, Suspensions suspensions) {
    this.lanes = lanes;
    this.suspensions = suspensions;
  }

  /** Closes the lanes of accounts; these are their rows. */
  public void stop(List<Map<String, Object>> accounts) {
    Row.all(accounts).forEach(account -> lanes.close(account.number("pk"), CAUSE, Long.MAX_VALUE));
  }

  /** Rows of which some have {@code gone}: another node deleted these accounts. */
  public void gone(List<Map<String, Object>> accounts) {
    forget(accounts.stream().filter(account -> Boolean.TRUE.equals(account.get("gone"))).toList());
  }

  /** Nothing is left of these: what stopped them is forgotten. */
  public void forget(List<Map<String, Object>> accounts) {
    for (Row account : Row.all(accounts)) {
      suspensions.forget(account.number("pk"));
      lanes.wakeAccount(account.number("pk"));
    }
  }
}
