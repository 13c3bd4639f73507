package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.message.Health;
import java.util.LinkedHashMap;
import java.util.Map;

/** Events that tell of an account; they belong to no message, their key there is 0. */
public final class AccountEvents {
  private final Nodes nodes;

  public AccountEvents(Nodes nodes) {
    this.nodes = nodes;
  }

  /** Keeps what became of an account's health. */
  public void keep(Health health) {
    Map<String, Object> data = new LinkedHashMap<>(health.told());
    data.put("account_id", health.account().id());
    nodes
        .commits()
        .commit(
            (statements, now) ->
                statements.later(
                    "insert-event",
                    nodes.ids().next(),
                    0,
                    health.account().tenantId(),
                    "account",
                    now,
                    health.reason(),
                    Json.text(data)));
  }
}
