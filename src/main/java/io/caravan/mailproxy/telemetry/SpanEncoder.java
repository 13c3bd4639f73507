package io.caravan.mailproxy.telemetry;

import java.util.List;
import java.util.Map;

/**
 * Spans as the body of an OTLP call: {@code ExportTraceServiceRequest} of opentelemetry-proto 1.x,
 * {@code collector/trace/v1} and {@code trace/v1}. The numbers are those of its fields.
 */
final class SpanEncoder {
  private static final int KIND_CLIENT = 3;
  private static final int STATUS_ERROR = 2;

  /** {@code SpanFlags}: sampled; and that it is known whether the parent is in another process. */
  private static final int FLAGS = 0x101;

  /** {@code SpanFlags}: the parent is. */
  private static final int REMOTE_PARENT = 0x200;

  private static final String SCOPE = "io.caravan.mailproxy";

  private final Protobuf resource = new Protobuf();

  /**
   * @param resource tells whose spans these are
   */
  SpanEncoder(Map<String, Object> resource) {
    attributes(this.resource, 1, resource);
  }

  byte[] encode(List<Span> spans) {
    Protobuf ofScope = new Protobuf().message(1, new Protobuf().text(1, SCOPE));
    spans.forEach(span -> ofScope.message(2, encode(span)));
    Protobuf ofResource = new Protobuf().message(1, resource).message(2, ofScope);
    return new Protobuf().message(1, ofResource).toBytes();
  }

  private static Protobuf encode(Span span) {
    Protobuf out = new Protobuf().hex(1, span.traceId()).hex(2, span.spanId());
    String parent = span.parentId();
    if (parent != null) {
      out.hex(4, parent);
    }
    out.text(5, span.name()).number(6, KIND_CLIENT).fixed64(7, span.begin()).fixed64(8, span.end());
    attributes(out, 9, span.attributes());
    String error = span.error();
    if (error != null) {
      out.message(15, new Protobuf().text(2, error).number(3, STATUS_ERROR));
    }
    return out.fixed32(16, parent == null ? FLAGS : FLAGS | REMOTE_PARENT);
  }

  private static void attributes(Protobuf out, int field, Map<String, Object> attributes) {
    attributes.forEach(
        (key, value) -> {
          Protobuf any =
              value instanceof Long number
                  ? new Protobuf().number(3, number)
                  : new Protobuf().text(1, value.toString());
          out.message(field, new Protobuf().text(1, key).message(2, any));
        });
  }
}
