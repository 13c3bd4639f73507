package io.caravan.mailproxy.message;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One message's recipients on one lane, leased to this node: what a slot works on.
 *
 * @param tenantId whose it is; its rows are found by this and their keys
 * @param pk key of its row in table {@code queue}
 * @param messagePk key of its message
 * @param lane where it waits for its turn
 * @param epoch the lease under which it was claimed; a result counts only under it
 * @param attempts attempts that ended before this one, 0 for the first
 * @param acceptedAt when the message was accepted, Unix milliseconds of the database's clock
 * @param bytes rough size of the message in bytes, for the room it takes in memory
 * @param message the message itself; {@code null}: still to be read from the store
 * @param recipients who is still to be reached; empty while {@code message} is {@code null}
 * @param traceParent where in a trace the message came from, read with the message; {@code null}:
 *     nowhere
 */
public record Delivery(
    String tenantId,
    long pk,
    long messagePk,
    LaneKey lane,
    long epoch,
    Priority priority,
    int attempts,
    long acceptedAt,
    long bytes,
    @Nullable Message message,
    List<Recipient> recipients,
    @Nullable TraceParent traceParent) {

  /** The same delivery with its message read. */
  public Delivery with(Message read, List<Recipient> pending, @Nullable TraceParent traceParent) {
    return new Delivery(
        tenantId,
        pk,
        messagePk,
        lane,
        epoch,
        priority,
        attempts,
        acceptedAt,
        bytes,
        read,
        pending,
        traceParent);
  }

  /** Key of its lane's account. */
  public long accountPk() {
    return lane.accountPk();
  }

  /** The message, once it was read. */
  public Message loaded() {
    if (message == null) {
      throw new IllegalStateException("message " + messagePk + " is not read yet");
    }
    return message;
  }
}
