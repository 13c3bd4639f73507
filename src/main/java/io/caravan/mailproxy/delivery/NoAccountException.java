package io.caravan.mailproxy.delivery;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * This node knows no such account: it was deleted, so its mail can never be sent; or another node
 * made it a moment ago.
 */
public final class NoAccountException extends Exception {
  private static final long serialVersionUID = 1L;
  private static final long NONE = 0;

  private final long pk;

  /**
   * @param named by a route; {@code null}: it is the account of the delivery's lane
   */
  NoAccountException(Attempt attempt, @Nullable String named) {
    super(
        "Account '%s' not found for tenant '%s'"
            .formatted(named == null ? attempt.getAccountId() : named, attempt.getTenantId()));
    this.pk = named == null ? attempt.getDelivery().accountPk() : NONE;
  }

  /** Parameters for {@code has-account.sql}. */
  public Map<String, Object> key() {
    return Map.of("account", pk);
  }
}
