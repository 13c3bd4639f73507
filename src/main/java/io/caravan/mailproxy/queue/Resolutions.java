package io.caravan.mailproxy.queue;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.JsonFields;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.http.Request;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code POST /messages/{id}/resolve}: somebody says what became of a held message. */
public final class Resolutions {
  private static final Set<String> OUTCOMES = Set.of("sent", "failed", "retry");

  private final Outbox outbox;

  public Resolutions(Outbox outbox) {
    this.outbox = outbox;
  }

  /**
   * Takes {@code {"outcome": "sent"}}.
   *
   * @return the message, if it came to its end with it
   * @throws Problem 400 or 422 it says nothing of use, 404 there is no such message, 409 it does
   *     not wait for that
   */
  public @Nullable Ended resolve(JsonNode body, Request request) {
    String tenant = request.tenant();
    JsonFields form = new JsonFields(body);
    String outcome = form.required("outcome", 20);
    if (!OUTCOMES.contains(outcome)) {
      throw form.wrong("outcome", "Input should be 'sent', 'failed' or 'retry'");
    }
    return outbox.resolve(tenant, request.segment(1), outcome);
  }
}
