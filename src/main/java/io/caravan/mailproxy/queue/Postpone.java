package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Settled;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Puts off a delivery that a limit does not let begin: no attempt, no recipient changes.
 *
 * @param dueAt its place among the rows of its lane, Unix milliseconds
 * @param until when it will have leave, Unix milliseconds
 * @param reason text of the event that tells of it; {@code null}: there is none
 */
record Postpone(
    Delivery delivery,
    String accountId,
    long dueAt,
    long until,
    @Nullable String reason,
    Ids ids,
    long node)
    implements GroupCommit.Work<Settled> {

  @Override
  public Settled run(Statements statements, long now) throws SQLException {
    if (statements.update(
            "release-delivery", dueAt, delivery.tenantId(), delivery.pk(), node, delivery.epoch())
        == 0) {
      return new Settled(Settled.Result.LATE, Settled.Fate.PENDING, null, now, null);
    }
    if (reason != null) {
      Map<String, Object> data = new LinkedHashMap<>();
      data.put("account_id", accountId);
      data.put("next_attempt_at", until);
      statements.later(
          "insert-event",
          ids.next(),
          delivery.messagePk(),
          delivery.tenantId(),
          "deferred",
          now,
          reason,
          Json.text(data));
    }
    return new Settled(Settled.Result.CONNMAXOUT, Settled.Fate.PENDING, reason, now, until);
  }
}
