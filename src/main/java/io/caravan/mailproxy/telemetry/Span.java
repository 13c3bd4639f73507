package io.caravan.mailproxy.telemetry;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Something that was done, as OpenTelemetry tells of it. Always of kind {@code CLIENT}.
 *
 * @param traceId 32 hexadecimal digits
 * @param spanId 16 hexadecimal digits
 * @param parentId span that asked for it, in another process; {@code null}: nobody's did
 * @param begin Unix nanoseconds, as is {@code end}
 * @param attributes values are texts or whole numbers ({@code Long})
 * @param error what went wrong; {@code null}: the span's status is not set
 */
record Span(
    String traceId,
    String spanId,
    @Nullable String parentId,
    String name,
    long begin,
    long end,
    Map<String, Object> attributes,
    @Nullable String error) {}
