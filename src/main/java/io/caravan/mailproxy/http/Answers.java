package io.caravan.mailproxy.http;

import java.util.LinkedHashMap;
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
  }

  /** {@code {"ok":true}}. */
  public void ok(Exchange exchange) {
    write(exchange, 200, Map.of("ok", true));
  }

  /**
   * What went wrong, as {@code {"detail": …}}; nothing of an unexpected failure but that it was.
   */
  public void problem(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    if (told(failure) instanceof Problem problem) {
      Map<String, Object> body = new LinkedHashMap<>();
      body.put("detail", problem.getDetail());
      write(exchange, problem.getStatus(), body);
      if (problem.getStatus() == 503) {
        exchange.getMessage().setHeader("Retry-After", "1");
      }
      if (problem.getStatus() == 401) {
        exchange.getMessage().setHeader("WWW-Authenticate", "Bearer");
      }
      return;
    }
    LOG.error("request failed", failure);
    write(exchange, 500, Map.of("detail", "Internal Server Error"));
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
