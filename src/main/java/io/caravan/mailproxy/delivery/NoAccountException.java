package io.caravan.mailproxy.delivery;

/** The account of a delivery was deleted: its mail can never be sent. */
public final class NoAccountException extends Exception {
  private static final long serialVersionUID = 1L;

  NoAccountException(String accountId, String tenantId) {
    super("Account '" + accountId + "' not found for tenant '" + tenantId + "'");
  }
}
