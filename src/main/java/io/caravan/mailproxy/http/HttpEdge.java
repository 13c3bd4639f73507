package io.caravan.mailproxy.http;

import io.netty.handler.codec.http.HttpResponseStatus;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;

/**
 * What the HTTP server answers itself, in the same JSON form: paths without a route, bad requests.
 */
public final class HttpEdge {
  private static final Pattern PARAMETER = Pattern.compile(":[^/]+");

  /** Header field with what a request is known by. */
  static final String ID = "X-Request-Id";

  private final Router router;
  private final BooleanSupplier ready;

  private HttpEdge(Router router, BooleanSupplier ready) {
    this.router = router;
    this.ready = ready;
  }

  /**
   * Puts our answers in the place of the server's.
   *
   * @param ready whether the routes stand; until then every request is answered 503
   */
  public static void attach(Router router, BooleanSupplier ready) {
    HttpEdge edge = new HttpEdge(router, ready);
    router.route().last().handler(edge::unknown);
    router.route().order(-1).failureHandler(edge::failed).handler(edge::begin);
  }

  private void begin(RoutingContext context) {
    Arrival.of(context.request()).follow();
    name(context);
    if (ready.getAsBoolean()) {
      context.next();
    } else {
      answer(context, 503, "Service is starting");
    }
  }

  private static void name(RoutingContext context) {
    String wish = context.request().getHeader(ID);
    context.response().putHeader(ID, Arrival.of(context.request()).name(wish));
  }

  private void unknown(RoutingContext context) {
    String hint = OtherPaths.hint(context.normalizedPath());
    if (hint != null) {
      answer(context, 404, hint);
      return;
    }
    Set<String> allowed = new TreeSet<>();
    for (Route route : router.getRoutes()) {
      if (route.getPath() != null && route.methods() != null && matches(route, context)) {
        route.methods().stream().map(HttpMethod::name).forEach(allowed::add);
      }
    }
    if (allowed.isEmpty()) {
      answer(context, 404, "Not Found");
    } else {
      context.response().putHeader("Allow", String.join(", ", allowed));
      answer(context, 405, "Method Not Allowed");
    }
  }

  private static boolean matches(Route route, RoutingContext context) {
    return context.normalizedPath().matches(PARAMETER.matcher(route.getPath()).replaceAll("[^/]+"));
  }

  private void failed(RoutingContext context) {
    int status = context.statusCode() < 400 ? 500 : context.statusCode();
    answer(
        context,
        status,
        switch (status) {
          case 400 -> "Bad Request";
          case 413 -> "Request body is too large";
          case 500 -> "Internal Server Error";
          default -> HttpResponseStatus.valueOf(status).reasonPhrase();
        });
  }

  private void answer(RoutingContext context, int status, String detail) {
    if (context.response().ended() || context.response().closed()) {
      return;
    }
    if (Arrival.of(context.request()).id().isEmpty()) {
      name(context); // it did not come as far as to begin
    }
    if (status == 413) {
      hangUp(context);
    }
    Problem problem = new Problem(status, detail);
    if (problem.getRetryAfter() > 0) {
      context.response().putHeader("Retry-After", String.valueOf(problem.getRetryAfter()));
    }
    context
        .response()
        .setStatusCode(status)
        .putHeader("Content-Type", problem.contentType())
        .end(Json.text(problem.body(Arrival.of(context.request()).id())));
  }

  /** Whoever sends without an end is cut off, after the time it takes to read the answer. */
  private static void hangUp(RoutingContext context) {
    context.response().putHeader("Connection", "close");
    context
        .vertx()
        .setTimer(HttpServers.GRACE_MILLIS, timer -> context.request().connection().close());
  }
}
