package io.caravan.mailproxy.http;

import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * A request that cannot be served: becomes the HTTP answer in {@code routes/errors.camel.yaml}.
 * Carries nothing secret.
 */
public final class Problem extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private static final Map<Integer, String> CODES =
      Map.of(
          401, "unauthorized",
          409, "conflict",
          413, "body_too_large",
          414, "uri_too_long",
          422, "invalid",
          429, "too_many_requests",
          500, "internal_error",
          503, "try_again");

  private final int status;
  private final String code;
  private final transient Object detail;
  private long retryAfter;

  /**
   * @param status HTTP status, 400 to 599
   * @param detail what stands under {@code detail}: a text, or a JSON object or array
   */
  public Problem(int status, Object detail) {
    this(
        status,
        CODES.getOrDefault(status, title(status).toLowerCase(Locale.ROOT).replace(' ', '_')),
        detail);
  }

  /**
   * @param code what programs tell it by
   */
  public Problem(int status, String code, Object detail) {
    super(status + " " + detail, null, false, false);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retryAfter = status == 503 ? 1 : 0;
  }

  /** With a header {@code Retry-After}, seconds. */
  public Problem after(long seconds) {
    retryAfter = seconds;
    return this;
  }

  /** Seconds after which the same request may do; 0: not by waiting. */
  public long getRetryAfter() {
    return retryAfter;
  }

  /** 422 with one validation entry in the form clients of the first system know. */
  public static Problem invalid(String type, List<Object> loc, String msg) {
    return new Problem(422, List.of(Map.of("type", type, "loc", loc, "msg", msg)));
  }

  /** No such message, tenant ... as far as the caller may know. */
  public static Problem notFound(String what) {
    return new Problem(404, what);
  }

  public int getStatus() {
    return status;
  }

  public Object getDetail() {
    return detail;
  }

  /** In words, for somebody who did not ask by HTTP. */
  public String told() {
    List<String> told = new ArrayList<>();
    if (detail instanceof List<?> entries) {
      for (Object entry : entries) {
        Map<?, ?> fields = (Map<?, ?>) entry;
        told.add(
            pointer((List<?>) Objects.requireNonNull(fields.get("loc"))) + " " + fields.get("msg"));
      }
    }
    return told.isEmpty() ? detail.toString() : String.join("; ", told);
  }

  /** RFC 9457 where {@code detail} is a text, as it asks for one; else plain JSON. */
  public String contentType() {
    return detail instanceof String ? "application/problem+json" : "application/json";
  }

  /**
   * The answer's body: {@code detail} as clients of the first system read it (genro-api 1.1), and
   * the members of RFC 9457 that say something.
   *
   * @param requestId the answer's header {@code X-Request-Id}
   */
  public Map<String, Object> body(String requestId) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("detail", detail);
    body.put("code", code);
    body.put("title", title(status));
    body.put("status", status);
    body.put("request_id", requestId);
    if (detail instanceof List<?> entries) {
      body.put("errors", entries.stream().map(entry -> error((Map<?, ?>) entry)).toList());
    }
    return body;
  }

  private static String title(int status) {
    return HttpResponseStatus.valueOf(status).reasonPhrase();
  }

  /** Where a value stands: by a pointer into the body (RFC 6901), or by the parameter's name. */
  private static Map<String, Object> error(Map<?, ?> entry) {
    List<?> place = (List<?>) Objects.requireNonNull(entry.get("loc"));
    Object type = Objects.requireNonNull(entry.get("type"));
    Map<String, Object> error = new LinkedHashMap<>();
    if (place.get(0).equals("body")) {
      error.put("pointer", type.equals("json_invalid") ? "" : pointer(place));
    } else {
      error.put("parameter", place.get(place.size() - 1));
    }
    error.put("code", type);
    error.put("detail", entry.get("msg"));
    return error;
  }

  private static String pointer(List<?> place) {
    List<String> steps = new ArrayList<>();
    for (Object step : place.subList(1, place.size())) {
      steps.add("/" + step.toString().replace("~", "~0").replace("/", "~1"));
    }
    return String.join("", steps);
  }
}
