package io.caravan.mailproxy.http;

import java.util.List;
import java.util.Map;

/**
 * A request that cannot be served: becomes an HTTP answer {@code {"detail": …}} (genro-api 1.1) in
 * {@code routes/errors.camel.yaml}. Carries nothing secret.
 */
public final class Problem extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final transient Object detail;

  /**
   * @param status HTTP status, 400 to 599
   * @param detail what stands under {@code detail}: a text, or a JSON object or array
   */
  public Problem(int status, Object detail) {
    super(status + " " + detail, null, false, false);
    this.status = status;
    this.detail = detail;
  }

  /** 422 with one validation entry in the form clients of the first system know. */
  public static Problem invalid(String type, List<Object> loc, String msg) {
    return new Problem(422, List.of(Map.of("type", type, "loc", loc, "msg", msg)));
  }

  public int getStatus() {
    return status;
  }

  public Object getDetail() {
    return detail;
  }
}
