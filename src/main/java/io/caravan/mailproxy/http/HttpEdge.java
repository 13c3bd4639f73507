package io.caravan.mailproxy.http;

import io.netty.handler.codec.http.HttpResponseStatus;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * What the HTTP server answers itself, in the same JSON form: paths without a route, bad requests.
 */
public final class HttpEdge {
  private static final Pattern PARAMETER = Pattern.compile(":[^/]+");

  /** Header field with what a request is known by. */
  static final String ID = "X-Request-Id";

  private static final String READY = "/health/ready";

  private final Router router;
  private final Supplier<State> state;

  private HttpEdge(Router router, Supplier<State> state) {
    this.router = router;
    this.state = state;
  }

  /** What the service takes. */
  public enum State {
    /** Nothing yet. */
    STARTING,
    /** Whatever there is a route for. */
    SERVING,
    /** Looks at it, and nothing that changes something: it stops. */
    DRAINING
  }

  /**
   * Puts our answers in the place of the server's.
   *
   * @param state asked for each request; what is not taken now is answered 503
   */
  public static void attach(Router router, Supplier<State> state) {
    HttpEdge edge = new HttpEdge(router, state);
    router.route().last().handler(edge::unknown);
    router.route().order(-1).failureHandler(edge::failed).handler(edge::begin);
  }

  private void begin(RoutingContext context) {
    Arrival.of(context.request()).follow();
    name(context);
    switch (state.get()) {
      case STARTING -> answer(context, new Problem(503, "Service is starting"));
      case DRAINING -> {
        if (looks(context)) {
          context.next();
        } else {
          answer(context, new Problem(503, "draining", "Service is stopping"));
        }
      }
      case SERVING -> context.next();
    }
  }

  /** Nobody shall send more to a service that stops: it is alive, and not ready. */
  private static boolean looks(RoutingContext context) {
    return context.request().method().equals(HttpMethod.GET)
        && !context.normalizedPath().equals(READY);
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
    answer(context, new Problem(status, detail));
  }

  private void answer(RoutingContext context, Problem problem) {
    if (context.response().ended() || context.response().closed()) {
      return;
    }
    if (Arrival.of(context.request()).id().isEmpty()) {
      name(context); // it did not come as far as to begin
    }
    if (problem.getStatus() == 413) {
      hangUp(context);
    }
    if (problem.getRetryAfter() > 0) {
      context.response().putHeader("Retry-After", String.valueOf(problem.getRetryAfter()));
    }
    context
        .response()
        .setStatusCode(problem.getStatus())
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
