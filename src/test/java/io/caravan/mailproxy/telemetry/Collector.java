package io.caravan.mailproxy.telemetry;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A collector of traces on 127.0.0.1, which reads them by OpenTelemetry's own definition. */
final class Collector implements AutoCloseable {
  final AtomicInteger calls = new AtomicInteger();
  final List<String> logIns = new CopyOnWriteArrayList<>();

  /** What it answers; 0: nothing. */
  volatile int status = 200;

  private final List<ResourceSpans> taken = new CopyOnWriteArrayList<>();
  private final List<byte[]> bodies = new CopyOnWriteArrayList<>();
  private final CountDownLatch over = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final HttpServer server;

  Collector() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/v1/traces", this::answer);
    server.setExecutor(threads);
    server.start();
  }

  String endpoint() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** All spans that it took. */
  List<Span> spans() {
    return taken.stream()
        .flatMap(of -> of.getScopeSpansList().stream())
        .map(ScopeSpans::getSpansList)
        .flatMap(List::stream)
        .toList();
  }

  /** Those of a message, in the order in which they began. */
  List<Span> spans(String messageId) {
    return spans().stream()
        .filter(span -> attributes(span).get("messaging.message.id").equals(messageId))
        .sorted((a, b) -> Long.compareUnsigned(a.getStartTimeUnixNano(), b.getStartTimeUnixNano()))
        .toList();
  }

  Stream<Resource> resources() {
    return taken.stream().map(ResourceSpans::getResource);
  }

  /** All bytes that came. */
  List<byte[]> bodies() {
    return bodies;
  }

  static Map<String, Object> attributes(Span span) {
    return read(span.getAttributesList());
  }

  static Map<String, Object> read(List<KeyValue> attributes) {
    return attributes.stream()
        .collect(Collectors.toMap(KeyValue::getKey, each -> value(each.getValue())));
  }

  private static Object value(AnyValue value) {
    return value.hasIntValue() ? (Object) value.getIntValue() : value.getStringValue();
  }

  static String trace(Span span) {
    return HexFormat.of().formatHex(span.getTraceId().toByteArray());
  }

  static String parent(Span span) {
    return HexFormat.of().formatHex(span.getParentSpanId().toByteArray());
  }

  private void answer(HttpExchange call) throws IOException {
    byte[] body = call.getRequestBody().readAllBytes();
    calls.incrementAndGet();
    bodies.add(body);
    logIns.add("" + call.getRequestHeaders().getFirst("Authorization"));
    int now = status;
    if (now == 0) {
      try {
        over.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    } else {
      if (now == 200) {
        taken.addAll(ExportTraceServiceRequest.parseFrom(body).getResourceSpansList());
      }
      call.sendResponseHeaders(now, -1);
    }
    call.close();
  }

  @Override
  public void close() {
    over.countDown();
    server.stop(0);
    threads.shutdown();
  }
}
