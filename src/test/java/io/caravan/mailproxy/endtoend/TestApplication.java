package io.caravan.mailproxy.endtoend;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** An application on loopback whose sync endpoint keeps the events it is told. */
public final class TestApplication implements AutoCloseable {
  private final HttpServer server;
  private final List<JsonNode> events = new CopyOnWriteArrayList<>();
  private final AtomicInteger refusals = new AtomicInteger();

  public TestApplication() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.createContext(
        "/mail-proxy/sync",
        call -> {
          JsonNode report = Json.MAPPER.readTree(call.getRequestBody());
          boolean refuse =
              !report.path("delivery_report").isEmpty()
                  && refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
          if (!refuse) {
            report.path("delivery_report").forEach(events::add);
          }
          call.sendResponseHeaders(refuse ? 503 : 200, -1);
          call.close();
        });
    server.start();
  }

  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Answers 503 to so many reports. */
  public void refuse(int reports) {
    refusals.set(reports);
  }

  /** The acknowledged events, in order. */
  public List<JsonNode> events() {
    return events;
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
