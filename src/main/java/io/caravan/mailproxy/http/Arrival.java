package io.caravan.mailproxy.http;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.HttpServerRequestInternal;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A request's head is there: when that was, and whether a route took the request. */
public final class Arrival {
  private static final int ID_BYTES = 12;
  private static final Pattern USABLE = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  private final long at = System.nanoTime();
  private volatile boolean routed;
  private volatile String id = "";

  /** When the head came, {@link System#nanoTime}. */
  public long at() {
    return at;
  }

  /** Nanoseconds since the head came. */
  public long age() {
    return System.nanoTime() - at;
  }

  /** A route answers this request, and counts it. */
  public void route() {
    routed = true;
  }

  /** Whether a route answers. */
  public boolean isRouted() {
    return routed;
  }

  /** The request that this thread works for; null: none. */
  public static @Nullable Arrival current() {
    Context context = Vertx.currentContext();
    return context == null ? null : context.getLocal(Arrival.class);
  }

  /**
   * Of this request.
   *
   * @throws ClassCastException the server keeps none
   */
  public static Arrival of(HttpServerRequest request) {
    return (Arrival) ((HttpServerRequestInternal) request).metric();
  }

  /** What the request is known by, in its answer and in the log. */
  public String id() {
    return id;
  }

  /**
   * Names it.
   *
   * @param wish the client's own name for it; taken where it is one of 1 to 64 letters, digits,
   *     dots, dashes and underlines
   */
  String name(@Nullable String wish) {
    if (wish != null && USABLE.matcher(wish).matches()) {
      id = wish;
    } else {
      byte[] bytes = new byte[ID_BYTES];
      ThreadLocalRandom.current().nextBytes(bytes);
      id = HexFormat.of().formatHex(bytes);
    }
    return id;
  }

  /** From here on, whichever thread goes on with the request works for it. */
  void follow() {
    Vertx.currentContext().putLocal(Arrival.class, this);
  }
}
