package io.caravan.mailproxy.http;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.message.TraceParent;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.vertx.HttpMessage;
import org.apache.camel.support.SynchronizationAdapter;
import org.jspecify.annotations.Nullable;

/**
 * The first step of an HTTP route: takes from the request what the route needs into a property, and
 * all its headers off the message. The server makes a Camel header of each, and whatever is left of
 * them would come back in the answer or go out in a mail.
 */
public final class Requests {
  /** Exchange property that holds the {@link Request}. */
  public static final String REQUEST = "request";

  /** Exchange property: the request has a header {@code Idempotency-Key}. */
  public static final String IDEMPOTENCY_KEY = "idempotencyKey";

  private static final String KEY = "Idempotency-Key";

  private static final String BEARER = "bearer ";

  private final IntakeRoom room;

  /**
   * Takes requests.
   *
   * @param room for the bytes of all bodies being worked on at the same time
   */
  public Requests(IntakeRoom room) {
    this.room = room;
  }

  /** A request whose body, if any, says nothing. */
  public void read(Exchange exchange) {
    take(exchange);
    exchange.getMessage().setBody(null);
  }

  /**
   * A request with a JSON body, which becomes the message body.
   *
   * @throws Problem 415 it is declared to be something else; 422 it is no JSON; 503 too much is
   *     being taken in
   */
  public void readJson(Exchange exchange) {
    HttpServerRequest raw = take(exchange);
    json(exchange, raw, exchange.getMessage().getBody(byte[].class));
  }

  /**
   * The same, and the message body is null when there is none.
   *
   * @throws Problem as above
   */
  public void readJsonOrNone(Exchange exchange) {
    HttpServerRequest raw = take(exchange);
    byte[] body = exchange.getMessage().getBody(byte[].class);
    if (body == null || body.length == 0) {
      exchange.getMessage().setBody(null);
    } else {
      json(exchange, raw, body);
    }
  }

  private void json(Exchange exchange, HttpServerRequest raw, byte @Nullable [] body) {
    if (raw.headers().contains("Content-Encoding")) {
      throw new Problem(415, "Content-Encoding is not supported");
    }
    String type = raw.getHeader("Content-Type");
    if (type == null || !isJson(type)) {
      throw new Problem(415, "Content-Type must be application/json");
    }
    admit(exchange, body == null ? 0 : body.length);
    exchange.getMessage().setBody(tree(body == null ? new byte[0] : body));
  }

  /** Bodies grow several times over while they are read: their sum is bounded, not each alone. */
  private void admit(Exchange exchange, int bytes) {
    room.enterBytes(bytes);
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new SynchronizationAdapter() {
              @Override
              public void onDone(Exchange done) {
                room.leaveBytes(bytes);
              }
            });
  }

  /**
   * JSON from outside.
   *
   * @throws Problem 422 it is none
   */
  public static JsonNode tree(byte[] body) {
    try {
      JsonNode tree = isAscii(body) ? ofBytes(body) : ofText(body);
      if (tree == null || tree.isMissingNode()) {
        throw Problem.invalid("missing", List.of("body"), "Field required");
      }
      return tree;
    } catch (CharacterCodingException e) {
      throw Problem.invalid("json_invalid", List.of("body", 0), "Body is not UTF-8");
    } catch (JsonProcessingException e) {
      JsonLocation at = e.getLocation();
      long offset = at == null ? 0 : Math.max(0, Math.max(at.getCharOffset(), at.getByteOffset()));
      throw Problem.invalid("json_invalid", List.of("body", offset), "JSON decode error");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of plain ASCII, which most bodies are: a quarter faster than by way of a text. */
  private static JsonNode ofBytes(byte[] body) throws IOException {
    return Json.MAPPER.readTree(body);
  }

  /** Jackson would guess UTF-16 and 32, and reads lone surrogates. */
  private static JsonNode ofText(byte[] body) throws IOException {
    return Json.MAPPER.readTree(
        StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString());
  }

  /** Without NUL: two bytes a character are no ASCII. */
  private static boolean isAscii(byte[] body) {
    for (byte b : body) {
      if (b <= 0) {
        return false;
      }
    }
    return true;
  }

  private static HttpServerRequest take(Exchange exchange) {
    HttpServerRequest raw = exchange.getMessage(HttpMessage.class).getRequest();
    exchange.getMessage().removeHeaders("*");
    exchange.setProperty(
        REQUEST,
        new Request(
            raw.path(),
            query(raw.query()),
            token(raw),
            raw.getHeader("Accept"),
            raw.remoteAddress().hostAddress(),
            raw.getHeader("Host"),
            raw.getHeader("Origin"),
            raw.getHeader(KEY)));
    List<String> traces = raw.headers().getAll(TraceParent.NAME);
    if (traces.size() == 1) { // several are none (W3C Trace Context)
      exchange.setProperty(TraceParent.NAME, traces.get(0));
    }
    if (raw.headers().contains(KEY)) {
      exchange.setProperty(IDEMPOTENCY_KEY, true);
    }
    return raw;
  }

  private static Map<String, List<String>> query(@Nullable String query) {
    try {
      Map<String, List<String>> read =
          query == null ? Map.of() : new QueryStringDecoder(query, false).parameters();
      read.forEach(
          (name, values) -> values.forEach(value -> refuseNul(value, List.of("query", name))));
      return read;
    } catch (IllegalArgumentException e) {
      throw Problem.invalid(
          "query_invalid", List.of("query"), "Query is not percent-encoded UTF-8");
    }
  }

  /** No store keeps it in a text, and nothing is named so. */
  private static void refuseNul(String text, List<Object> place) {
    if (text.indexOf('\0') >= 0) {
      throw Problem.invalid("value_error", place, "Value must not hold the character U+0000");
    }
  }

  /** Null: none; empty, which nobody's is: several (reliability-security B53). */
  private static @Nullable String token(HttpServerRequest raw) {
    List<String> tokens = new ArrayList<>(raw.headers().getAll("X-API-Token"));
    for (String authorization : raw.headers().getAll("Authorization")) {
      if (authorization.toLowerCase(Locale.ROOT).startsWith(BEARER)) {
        tokens.add(authorization.substring(BEARER.length()));
      }
    }
    return tokens.isEmpty() ? null : tokens.stream().distinct().count() > 1 ? "" : tokens.get(0);
  }

  private static boolean isJson(String type) {
    String bare = type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    return bare.equals("application/json") || bare.endsWith("+json");
  }
}
