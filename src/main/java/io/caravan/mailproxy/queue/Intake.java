package io.caravan.mailproxy.queue;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Caller;
import io.caravan.mailproxy.http.Command;
import io.caravan.mailproxy.http.Guard;
import io.caravan.mailproxy.http.IntakeRoom;
import io.caravan.mailproxy.http.Requests;
import io.caravan.mailproxy.intake.Batch;
import io.caravan.mailproxy.intake.BatchAnswer;
import io.caravan.mailproxy.intake.BatchReader;
import io.caravan.mailproxy.intake.Rejection;
import io.caravan.mailproxy.message.TraceParent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.InvalidPayloadException;
import org.jspecify.annotations.Nullable;

/** The steps of {@code accept-messages}: check, store, answer. */
public final class Intake {
  /** Exchange property with the deliveries that are leased to this node already. */
  public static final String HOT = "hot";

  /** Exchange property with the number of new messages. */
  public static final String ADDED = "added";

  private final BatchReader reader;
  private final Outbox outbox;
  private final IntakeRoom room;

  public Intake(BatchReader reader, Outbox outbox, IntakeRoom room) {
    this.reader = reader;
    this.outbox = outbox;
    this.room = room;
  }

  /**
   * The body as JSON, whatever form a route has it in: a tree already, bytes, text, a file.
   *
   * @throws io.caravan.mailproxy.http.Problem 422 it is no JSON
   */
  public JsonNode parse(Exchange exchange) throws InvalidPayloadException {
    return exchange.getMessage().getBody() instanceof JsonNode tree
        ? tree
        : Requests.tree(exchange.getMessage().getMandatoryBody(byte[].class));
  }

  /** Checks a call's JSON; without a caller it is the installation's own. */
  public Batch check(Exchange exchange) {
    Caller caller = exchange.getProperty(Guard.CALLER, Caller.ADMIN, Caller.class);
    return reader.read(exchange.getMessage().getBody(JsonNode.class), caller.tenantId());
  }

  /**
   * Stores what may be stored; when it returns, it is on disk. What is to start now stands in
   * property {@value #HOT}, how many messages are new in {@value #ADDED}. The messages keep the W3C
   * trace context of property {@value TraceParent#NAME}, where there is a valid one.
   *
   * @throws io.caravan.mailproxy.http.Problem 503 too much is being taken in
   */
  public Stored store(Exchange exchange) {
    Batch batch = exchange.getMessage().getBody(Batch.class);
    Stored stored =
        store(
            batch,
            exchange.getProperty(Guard.COMMAND, Command.class),
            TraceParent.parse(exchange.getProperty(TraceParent.NAME, String.class)));
    if (stored.queued() > 0) {
      exchange.removeProperty(Guard.COMMAND); // logged with it
    }
    exchange.setProperty(HOT, stored.hot());
    exchange.setProperty(ADDED, stored.added());
    return stored;
  }

  private Stored store(Batch batch, @Nullable Command command, @Nullable TraceParent traceParent) {
    int messages = batch.submissions().size();
    if (messages == 0) {
      return new Stored(0, 0, List.of(), List.of());
    }
    room.enterMessages(messages);
    try {
      return outbox.store(batch.submissions(), command, traceParent);
    } finally {
      room.leaveMessages(messages);
    }
  }

  /** The answer to the call. */
  public Map<String, Object> answer(Batch batch, Stored stored) {
    List<Rejection> rejections = new ArrayList<>(batch.rejected());
    for (Stored.Refused refused : stored.refused()) {
      rejections.add(
          new Rejection(
              refused.id(),
              refused.index(),
              refused.reason(),
              refused.reason().replace(' ', '_'),
              null));
    }
    return BatchAnswer.of(stored.queued(), rejections);
  }
}
