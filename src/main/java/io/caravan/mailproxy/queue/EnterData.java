package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.Delivery;
import java.sql.SQLException;

/** Notes that the relay may get the body of a delivery's message; answers whether it may. */
final class EnterData implements GroupCommit.Work<Boolean> {
  private final Delivery delivery;
  private final long node;
  private Changeset.Count entered = new Changeset.Count();

  EnterData(Delivery delivery, long node) {
    this.delivery = delivery;
    this.node = node;
  }

  @Override
  public void ask(Statements statements, long now) throws SQLException {
    entered =
        statements.later("enter-data", delivery.tenantId(), delivery.pk(), node, delivery.epoch());
  }

  @Override
  public Boolean run(Statements statements, long now) {
    return entered.rows() == 1;
  }
}
