package io.caravan.mailproxy.routes;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** An application's sync endpoint that answers as a test says, and keeps what it was told. */
final class SyncEndpoint implements AutoCloseable {
  /** One call. */
  record Call(String path, String authorization, String contentType, JsonNode body) {
    List<JsonNode> items() {
      List<JsonNode> items = new ArrayList<>();
      body.path("delivery_report").forEach(items::add);
      return items;
    }
  }

  /** What to do with a call. */
  interface Reply {
    void to(HttpExchange call) throws IOException;
  }

  final List<Call> calls = new CopyOnWriteArrayList<>();
  private final ConcurrentLinkedQueue<Reply> next = new ConcurrentLinkedQueue<>();
  private final CountDownLatch over = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final HttpServer server;

  SyncEndpoint() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::take);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Answers the next call with events in this way; all later ones with 200 and no body. */
  SyncEndpoint then(Reply reply) {
    next.add(reply);
    return this;
  }

  SyncEndpoint then(int status, String body) {
    return then(answer(status, body));
  }

  static Reply answer(int status, String body, String... headers) {
    return call -> {
      for (int i = 0; i < headers.length; i += 2) {
        call.getResponseHeaders().add(headers[i], headers[i + 1]);
      }
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      call.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
      call.getResponseBody().write(bytes);
    };
  }

  /** Never answers. */
  Reply hang() {
    return call -> {
      try {
        over.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    };
  }

  /** Answers and does not end. */
  Reply endless(String piece) {
    byte[] bytes = piece.getBytes(StandardCharsets.UTF_8);
    return call -> {
      call.sendResponseHeaders(200, 0);
      OutputStream out = call.getResponseBody();
      while (over.getCount() > 0) {
        out.write(bytes);
      }
    };
  }

  /** Items of all calls, in order. */
  List<JsonNode> items() {
    return calls.stream().flatMap(call -> call.items().stream()).toList();
  }

  /** Calls that told of this message. */
  long told(String id) {
    return calls.stream()
        .filter(call -> call.items().stream().anyMatch(i -> i.path("id").asText().equals(id)))
        .count();
  }

  long emptyCalls() {
    return calls.stream().filter(call -> call.items().isEmpty()).count();
  }

  private void take(HttpExchange call) throws IOException {
    try (call) {
      JsonNode body = Json.MAPPER.readTree(call.getRequestBody());
      Reply reply = body.path("delivery_report").isEmpty() ? null : next.poll();
      calls.add(
          new Call(
              call.getRequestURI().getPath(),
              call.getRequestHeaders().getFirst("Authorization"),
              call.getRequestHeaders().getFirst("Content-Type"),
              body));
      (reply == null ? answer(200, "") : reply).to(call);
    }
  }

  /** A tenant whose reports come here. */
  Map<String, Object> tenant(String id) {
    return Map.of("id", id, "client_base_url", url());
  }

  @Override
  public void close() {
    over.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
