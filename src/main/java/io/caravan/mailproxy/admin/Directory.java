package io.caravan.mailproxy.admin;

import io.caravan.mailproxy.message.Account;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The accounts and tenants of this installation, answered from memory. */
public interface Directory {

  /** The account of a tenant by the id its clients use. */
  Optional<Account> account(String tenantId, String accountId);

  /** The same, of the store where this node knows of none: another may have made it just now. */
  default Optional<Account> find(String tenantId, String accountId) {
    return account(tenantId, accountId);
  }

  /** An account by its row's key. */
  Optional<Account> account(long pk);

  /** Whether an account holds what is uncertain ({@code on_uncertain}), instead of a retry. */
  default boolean holdsUncertain(long pk) {
    return false;
  }

  /**
   * Accounts by their row's key whose password no loaded key opens, with the reason: nothing may go
   * through them.
   */
  default Map<Long, String> locked() {
    return Map.of();
  }

  /** Whether an account is one of {@link #locked}. */
  default boolean isLocked(long pk) {
    return false;
  }

  /** Whom a tenant may send as ({@code allowed_sender_domains}); empty: anybody. */
  default Optional<SenderDomains> senders(String tenantId) {
    return Optional.empty();
  }

  /** Ids of the tenants that have an account of this id, in no order. */
  List<String> tenantsWithAccount(String accountId);
}
