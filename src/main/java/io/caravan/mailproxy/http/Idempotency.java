package io.caravan.mailproxy.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;

/**
 * A request with a header {@code Idempotency-Key} that came before is answered as it was then, for
 * a day. A key belongs to its caller; two requests at the same time go one after the other.
 */
public final class Idempotency {
  /** Exchange property: the answer in the body was given before. */
  public static final String REPLAYED = "replayed";

  private static final String ONCE = "once";
  private static final Pattern KEY = Pattern.compile("[!-~]{1,255}");
  private static final long WAIT_SECONDS = 30;

  private record Name(String caller, String key) {}

  private record Once(Name name, String hash, JsonNode body) {}

  private final ConcurrentMap<Name, CountDownLatch> underWay = new ConcurrentHashMap<>();

  /**
   * Waits until nobody works under this key; replaces the body by parameters for {@code
   * find-answer.sql}.
   *
   * @throws Problem 400 the key is not 1 to 255 visible ASCII characters, 409 the one before takes
   *     too long
   */
  public Map<String, Object> enter(Exchange exchange) throws InterruptedException {
    Request request = exchange.getProperty(Requests.REQUEST, Request.class);
    Caller caller = exchange.getProperty(Guard.CALLER, Caller.class);
    String key = request.idempotencyKey();
    if (key == null || !KEY.matcher(key).matches()) {
      throw new Problem(
          400,
          "idempotency_key_invalid",
          "Idempotency-Key should be 1 to 255 visible ASCII characters");
    }
    JsonNode body = exchange.getMessage().getBody(JsonNode.class);
    Name name = new Name(caller.tenantId() == null ? "" : caller.tenantId(), key);
    exchange.setProperty(ONCE, new Once(name, Guard.hash(body.toString()), body));
    take(name);
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new SynchronizationAdapter() {
              @Override
              public void onDone(Exchange done) {
                leave(name);
              }
            });
    return Map.of("caller", name.caller(), "key", key);
  }

  private void take(Name name) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    CountDownLatch mine = new CountDownLatch(1);
    CountDownLatch other = underWay.putIfAbsent(name, mine);
    while (other != null) {
      if (!other.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        throw new Problem(
            409, "idempotency_key_in_use", "A request with this Idempotency-Key is under way");
      }
      other = underWay.putIfAbsent(name, mine);
    }
  }

  private void leave(Name name) {
    CountDownLatch mine = underWay.remove(name);
    if (mine != null) {
      mine.countDown();
    }
  }

  /**
   * Takes what {@code find-answer.sql} found: the body becomes the answer of then, and property
   * {@value #REPLAYED} says so; else the request's own again.
   *
   * @throws Problem 422 the request is another one
   */
  public void found(Exchange exchange, List<Map<String, Object>> rows) {
    Once once = exchange.getProperty(ONCE, Once.class);
    if (rows.isEmpty()) {
      exchange.getMessage().setBody(once.body());
      return;
    }
    if (!once.hash().equals(rows.get(0).get("body_hash"))) {
      throw new Problem(
          422, "idempotency_key_reuse", "Idempotency-Key was used with another request");
    }
    exchange.setProperty(REPLAYED, true);
    exchange.removeProperty(Guard.COMMAND); // nothing is done
    exchange.getMessage().setBody(Json.tree(String.valueOf(rows.get(0).get("body"))));
  }

  /** Parameters for {@code keep-answer.sql}, which keeps the answer in the body. */
  public Map<String, Object> kept(Exchange exchange) {
    Once once = exchange.getProperty(ONCE, Once.class);
    return Map.of(
        "caller", once.name().caller(),
        "key", once.name().key(),
        "hash", once.hash(),
        "answer", Json.text(exchange.getMessage().getBody()));
  }
}
