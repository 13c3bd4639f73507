package io.caravan.mailproxy.queue;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.JsonFields;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.http.Request;
import io.caravan.mailproxy.queue.MessageOrder.Done;
import io.caravan.mailproxy.queue.MessageOrder.Kind;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Retry, cancel, hold and release, of one message or of all that a filter lets through. */
public final class MessageOrders {
  private static final Set<String> FIELDS =
      Set.of(
          "status", "account_id", "batch_code", "recipient", "since_ts", "until_ts", "ids", "all");

  private final Outbox outbox;
  private final Lanes lanes;
  private final InFlight inFlight;
  private final MessagePages pages;
  private final Recall recall;

  public MessageOrders(Outbox outbox, Lanes lanes, InFlight inFlight, MessagePages pages) {
    this.outbox = outbox;
    this.lanes = lanes;
    this.inFlight = inFlight;
    this.pages = pages;
    this.recall = new Recall(outbox, lanes);
  }

  /** Parameters for {@code find-keys.sql}: the message that the path names. */
  public Map<String, Object> key(Request request) {
    return Map.of("tenant", request.tenant(), "ids", Json.text(List.of(request.segment(1))));
  }

  /**
   * Carries out an order on one message.
   *
   * @param rows with its key
   * @param order {@code retry}, {@code cancel}, {@code hold} or {@code release}
   * @return the message, if it came to its end with it
   * @throws Problem 404 there is none, 409 it cannot obey
   */
  public List<Ended> one(List<Map<String, Object>> rows, String order) {
    if (rows.isEmpty()) {
      throw Problem.notFound("message not found");
    }
    Row row = new Row(rows.get(0));
    Done done = carryOut(kind(order), row.text("tenant_id"), List.of(row.number("pk")), false);
    if (done.refusal() != null) {
      throw new Problem(409, done.refusal().text);
    }
    return done.ended();
  }

  /**
   * Takes {@code {"filter": {...}, "dry_run": false}}.
   *
   * @param order {@code retry}, {@code cancel}, {@code hold} or {@code release}
   * @throws Problem 400 or 422 it says nothing of use, or would stand for all without saying so
   */
  public BulkOrder bulk(JsonNode body, Request request, String order) {
    JsonFields form = new JsonFields(body);
    JsonNode filter = form.node("filter");
    if (filter == null) {
      throw Problem.invalid("missing", List.of("body", "filter"), "Field required");
    }
    JsonFields fields = new JsonFields(filter, "body", "filter");
    boolean all = Objects.equals(fields.flag("all"), true);
    for (String name : filter.properties().stream().map(Map.Entry::getKey).toList()) {
      if (!FIELDS.contains(name)) {
        throw Problem.invalid(
            "extra_forbidden", List.of("body", "filter", name), "Extra inputs are not permitted");
      }
      all |= !name.equals("all") && fields.node(name) != null;
    }
    if (!all) {
      throw form.wrong("filter", "An empty filter would stand for all: say {\"all\": true}");
    }
    return new BulkOrder(
        pages,
        MessageFilter.waiting(request.tenant(), fields),
        kind(order),
        Objects.equals(form.flag("dry_run"), true));
  }

  /** Carries out a piece; returns the messages that came to their end with it. */
  public List<Ended> piece(BulkOrder order) {
    Done done = carryOut(order.kind(), order.tenantId(), order.keys(), order.isDry());
    order.done(done.obeyed());
    return done.ended();
  }

  private Done carryOut(Kind kind, String tenantId, List<Long> keys, boolean dry) {
    if (dry) {
      return outbox.commit(
          new MessageOrder(kind, tenantId, keys, true, inFlight::has, outbox.ids()));
    }
    Done done =
        recall.commit(
            new HashSet<>(keys),
            new MessageOrder(kind, tenantId, keys, false, pk -> true, outbox.ids()));
    outbox.ended(done.ended().size());
    done.due().forEach(lanes::waitingAny);
    return done;
  }

  private static Kind kind(String order) {
    return Kind.valueOf(order.toUpperCase(Locale.ROOT));
  }
}
