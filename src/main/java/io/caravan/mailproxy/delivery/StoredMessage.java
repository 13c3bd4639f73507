package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.intake.MessageReader;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Recipient;
import io.caravan.mailproxy.message.TraceParent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A message that was not kept in memory. */
final class StoredMessage {
  private StoredMessage() {}

  /**
   * The delivery with its message, and who of it is still to be reached.
   *
   * @param rows of {@code read-message.sql}
   * @throws MessageGoneException it was deleted meanwhile
   * @throws IllegalArgumentException it cannot be read
   */
  static Delivery read(Delivery delivery, List<Map<String, Object>> rows) {
    if (rows.isEmpty()) {
      throw new MessageGoneException(delivery.messagePk());
    }
    Row row = new Row(rows.get(0));
    List<Recipient> pending = new ArrayList<>();
    for (var recipient : Json.tree(row.text("recipients"))) {
      pending.add(
          new Recipient(
              recipient.path("position").intValue(), recipient.path("address").textValue()));
    }
    return delivery.with(
        MessageReader.read(row.text("payload")),
        pending,
        TraceParent.parse(row.textOrNull("trace_parent")));
  }
}
