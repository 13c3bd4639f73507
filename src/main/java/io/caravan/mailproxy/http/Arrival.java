package io.caravan.mailproxy.http;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.HttpServerRequestInternal;
import org.jspecify.annotations.Nullable;

/** A request's head is there: when that was, and whether a route took the request. */
public final class Arrival {
  private final long at = System.nanoTime();
  private volatile boolean routed;

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

  /** From here on, whichever thread goes on with the request works for it. */
  void follow() {
    Vertx.currentContext().putLocal(Arrival.class, this);
  }
}
