package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.throttle.RuleBook;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Whose mail an operator's order is for (DECISIONS, suspend); what is {@code null} stands for all.
 *
 * @param throttle name of a throttle rule, {@code __default} for mail that no rule is for
 */
public record Scope(
    String tenantId,
    @Nullable String accountId,
    @Nullable String throttle,
    @Nullable String batchCode) {

  static Scope of(Row row) {
    return new Scope(
        row.text("tenant_id"),
        row.textOrNull("account_id"),
        row.textOrNull("throttle"),
        row.textOrNull("batch_code"));
  }

  /** Whether it is for mail of an account under a rule; its batch is another question. */
  boolean covers(Account account, String rule) {
    return tenantId.equals(account.tenantId())
        && (accountId == null || accountId.equals(account.id()))
        && (throttle == null || throttle.equals(rule));
  }

  /** Whether it is for mail of a lane; its batch is another question. */
  boolean covers(LaneKey lane, Directory directory, RuleBook rules) {
    Account account = directory.account(lane.accountPk()).orElse(null);
    return account != null && covers(account, rules.nameOf(lane));
  }

  /** Whether both are for the same mail, batches apart. */
  boolean besides(Scope other) {
    return tenantId.equals(other.tenantId)
        && Objects.equals(accountId, other.accountId)
        && Objects.equals(throttle, other.throttle);
  }

  /** Parameters for statements, and what an order says besides. */
  Map<String, @Nullable Object> values() {
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("tenant", tenantId);
    values.put("account", accountId);
    values.put("throttle", throttle);
    values.put("batch", batchCode);
    return values;
  }

  /** In the words of the API, without what stands for all. */
  Map<String, Object> told() {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("tenant_id", tenantId);
    if (accountId != null) {
      told.put("account_id", accountId);
    }
    if (throttle != null) {
      told.put("throttle", throttle);
    }
    if (batchCode != null) {
      told.put("batch_code", batchCode);
    }
    return told;
  }
}
