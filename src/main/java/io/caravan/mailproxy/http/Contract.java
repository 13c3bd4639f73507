package io.caravan.mailproxy.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Objects;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The contract of the API, as JSON and as a page that needs nothing from elsewhere. */
public final class Contract {
  private static final Map<String, String> FILES =
      Map.of(
          "swagger-ui.css", "text/css",
          "swagger-ui-bundle.js", "text/javascript",
          "favicon-32x32.png", "image/png",
          "start.js", "text/javascript");

  private byte @Nullable [] json;

  /** The document as it stands in {@code openapi.yaml}. */
  public static JsonNode document() {
    try (InputStream in = open("openapi.yaml")) {
      return Json.MAPPER.valueToTree(
          new Load(LoadSettings.builder().build()).loadFromInputStream(in));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** {@code GET /openapi.json}. */
  public synchronized void json(Exchange exchange) {
    if (json == null) {
      json = Json.bytes(document());
    }
    write(exchange, "application/json", json);
  }

  /** {@code GET /docs}. */
  public void page(Exchange exchange) {
    write(exchange, "text/html; charset=utf-8", bytes("docs.html"));
    exchange
        .getMessage()
        .setHeader(
            "Content-Security-Policy",
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
                + " frame-ancestors 'none'");
  }

  /**
   * {@code GET /docs/{file}}.
   *
   * @throws Problem 404 the page has no such file
   */
  public void file(Exchange exchange) {
    Request request = exchange.getProperty(Requests.REQUEST, Request.class);
    String name = request.segment(1);
    String type = FILES.get(name);
    if (type == null) {
      throw Problem.notFound("Not Found");
    }
    write(exchange, type, bytes(name.equals("start.js") ? name : "swagger-ui/" + name));
  }

  private static InputStream open(String resource) {
    return Objects.requireNonNull(Contract.class.getResourceAsStream(resource), resource);
  }

  private static byte[] bytes(String resource) {
    try (InputStream in = open(resource)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void write(Exchange exchange, String type, byte[] body) {
    Message message = exchange.getMessage();
    message.removeHeaders("*");
    message.setHeader(Exchange.CONTENT_TYPE, type);
    message.setHeader("X-Content-Type-Options", "nosniff");
    message.setBody(body);
  }
}
