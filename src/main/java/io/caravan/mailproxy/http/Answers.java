package io.caravan.mailproxy.http;

import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The last step of HTTP routes: a body of ours becomes the HTTP answer. */
public final class Answers {
  private static final Logger LOG = LoggerFactory.getLogger(Answers.class);

  /** The body as JSON, status 200. */
  public void json(Exchange exchange) {
    write(exchange, 200, exchange.getMessage().getBody());
    if (exchange.getProperty(Idempotency.REPLAYED) != null) {
      exchange.getMessage().setHeader("Idempotency-Replayed", "true");
    }
  }

  /** {@code {"ok":true}}. */
  public void ok(Exchange exchange) {
    write(exchange, 200, Map.of("ok", true));
  }

  /**
   * What went wrong: the problem in the body, or the failure. Nothing is told of an unexpected
   * failure but that it was.
   */
  public void problem(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    Problem problem =
        exchange.getMessage().getBody() instanceof Problem known
            ? known
            : told(failure) instanceof Problem told
                ? told
                : new Problem(500, "Internal Server Error");
    Arrival arrival = Arrival.current();
    String request = arrival == null ? "" : arrival.id();
    if (problem.getStatus() == 500) {
      LOG.error("request {} failed", request, failure);
    }
    write(exchange, problem.getStatus(), problem.body(request));
    Message message = exchange.getMessage();
    message.setHeader(Exchange.CONTENT_TYPE, problem.contentType());
    if (problem.getRetryAfter() > 0) {
      message.setHeader("Retry-After", problem.getRetryAfter());
    }
    if (problem.getStatus() == 401) {
      message.setHeader("WWW-Authenticate", "Bearer");
    }
  }

  /** Camel wraps what an expression throws. */
  private static @Nullable Throwable told(@Nullable Throwable failure) {
    Throwable cause = failure;
    while (cause != null && !(cause instanceof Problem)) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** Writes an answer with a status and a JSON body. */
  public static void write(Exchange exchange, int status, Object body) {
    Message message = exchange.getMessage();
    message.removeHeaders("*");
    message.setHeader(Exchange.HTTP_RESPONSE_CODE, status);
    message.setHeader(Exchange.CONTENT_TYPE, "application/json");
    message.setBody(Json.bytes(body));
  }
}
