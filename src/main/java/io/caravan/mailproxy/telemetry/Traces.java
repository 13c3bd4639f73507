package io.caravan.mailproxy.telemetry;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where spans go: a collector of OpenTelemetry, or nowhere while this is off. Set by name, not by
 * constructor: as a constructor's argument a text of digits would not be taken for text.
 */
public final class Traces implements AutoCloseable {
  /** How long a stop may take to send what waits. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);

  /** What stands behind the endpoint (OTLP specification 1.x, OTLP/HTTP Request). */
  private static final String PATH = "/v1/traces";

  /** A header's name (RFC 9110 section 5.1). */
  private static final Pattern TOKEN = Pattern.compile("[a-zA-Z0-9!#$%&'*+.^_`|~-]+");

  /** Which no header takes. */
  private static final String NO_VALUE = "\n";

  private static final Logger LOG = LoggerFactory.getLogger(Traces.class);

  private final MeterRegistry registry;
  private boolean enabled;
  private String endpoint = "";
  private String headers = "";
  private String serviceName = "mail-proxy";
  private double ratio = 1;
  private int timeoutSeconds = 10;
  private int maxWaiting = 1;
  private @Nullable SpanSender sender;

  /**
   * @param registry counts the spans
   */
  public Traces(MeterRegistry registry) {
    this.registry = registry;
  }

  /** {@code true} or {@code false}. */
  public void setEnabled(String text) {
    enabled = text.strip().equals("true");
    check(enabled || text.strip().equals("false"), "traces.enabled: neither true nor false", text);
  }

  /**
   * Base address of the collector; {@value #PATH} is put behind it. Looked at by {@link #begin}.
   */
  public void setEndpoint(String text) {
    endpoint = text.strip();
  }

  /**
   * {@code name=value,name=value}; values percent-encoded where they need it, and secret: looked at
   * by {@link #begin}, as Camel repeats a value that a setter refuses.
   */
  public void setHeaders(String text) {
    headers = text.strip();
  }

  /** What the spans' service is called. */
  public void setServiceName(String text) {
    serviceName = text.strip();
    check(!serviceName.isEmpty(), "traces.service-name: blank", text);
  }

  /** Share of the messages without a trace of their own that get one, 0 to 1. */
  public void setRatio(String text) {
    String rule = "traces.ratio: not a number from 0 to 1";
    try {
      ratio = Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(rule + ": " + text, e);
    }
    check(ratio >= 0 && ratio <= 1, rule, text);
  }

  /** Seconds for one call to the collector. */
  public void setTimeoutSeconds(int seconds) {
    timeoutSeconds = seconds;
  }

  /** Spans that wait to be sent, at most. */
  public void setMaxWaiting(int spans) {
    maxWaiting = spans;
  }

  /**
   * Gets ready, where it is on.
   *
   * @throws IllegalArgumentException endpoint or headers are none
   */
  public void begin() {
    if (!enabled) {
      return;
    }
    Map<String, Object> resource = new LinkedHashMap<>();
    resource.put("service.name", serviceName);
    String version = Traces.class.getPackage().getImplementationVersion();
    if (version != null) {
      resource.put("service.version", version);
    }
    SpanSender started =
        new SpanSender(
            endpoint(),
            headers(),
            Duration.ofSeconds(timeoutSeconds),
            maxWaiting,
            new SpanEncoder(resource));
    FunctionCounter.builder("mailproxy.spans.sent", started, SpanSender::sent)
        .description("Spans that the trace collector took")
        .register(registry);
    FunctionCounter.builder("mailproxy.spans.dropped", started, SpanSender::dropped)
        .description("Spans that did not get to the trace collector")
        .register(registry);
    sender = started;
  }

  /** Whether anybody wants spans. */
  boolean on() {
    return sender != null;
  }

  /**
   * Whether a trace that begins here is one of the share that is wanted; the same for all its
   * spans.
   *
   * @param traceId 32 hexadecimal digits, as good as random
   */
  boolean wants(String traceId) {
    long bits = Long.parseUnsignedLong(traceId.substring(16), 16) >>> 11; // what a double holds
    return bits * 0x1p-53 < ratio;
  }

  /** Takes a span; never waits. */
  void add(Span span) {
    SpanSender to = sender;
    if (to != null) {
      to.offer(span);
    }
  }

  /** Sends what waits; a call takes as long as its deadline says at the most. */
  public void flush() {
    SpanSender to = sender;
    if (to != null) {
      to.flush();
    }
  }

  @Override
  public void close() {
    SpanSender last = sender;
    if (last != null) {
      last.close(LAST_WORDS);
    }
  }

  private URI endpoint() {
    try {
      URI base = new URI(endpoint);
      boolean http = "http".equals(base.getScheme()) || "https".equals(base.getScheme());
      if (http
          && base.getHost() != null
          && base.getRawUserInfo() == null
          && base.getRawQuery() == null
          && base.getRawFragment() == null) {
        return new URI(endpoint.replaceFirst("/*$", "") + PATH);
      }
    } catch (URISyntaxException e) {
      LOG.debug("traces.endpoint is no URI: {}", e.getReason());
    }
    throw new IllegalArgumentException( // without the text, in which a password may stand
        "traces.endpoint: not http:// or https:// and a host, without user, query and fragment");
  }

  private Map<String, String> headers() {
    Map<String, String> read = new LinkedHashMap<>();
    for (String each : headers.isEmpty() ? new String[0] : headers.split(",", -1)) {
      String[] parts = each.split("=", 2);
      String name = parts[0].strip();
      String value = parts.length == 2 ? decoded(parts[1].strip()) : NO_VALUE;
      if (!TOKEN.matcher(name).matches() || !value.matches("[ -~]*")) {
        throw new IllegalArgumentException("traces.headers: not name=value,name=value");
      }
      read.put(name, value);
    }
    return read;
  }

  private static String decoded(String value) {
    try {
      return URLDecoder.decode(value.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return NO_VALUE;
    }
  }

  private static void check(boolean right, String rule, String text) {
    if (!right) {
      throw new IllegalArgumentException(rule + ": " + text);
    }
  }
}
