package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.http.Answers;
import io.caravan.mailproxy.queue.Outbox;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.camel.Exchange;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckHelper;

/** {@code /health}, {@code /health/ready} and {@code /status} (genro-api 1.2). */
public final class Status {
  private final Outbox outbox;
  private final long start = System.nanoTime();

  public Status(Outbox outbox) {
    this.outbox = outbox;
  }

  /** The process answers. */
  public Map<String, Object> live() {
    Map<String, Object> live = new LinkedHashMap<>();
    live.put("status", "ok");
    live.put("ok", true);
    return live;
  }

  /** The checks by name; 503 when one is down. */
  public void ready(Exchange exchange) {
    Map<String, Object> checks = new TreeMap<>();
    boolean up = true;
    for (HealthCheck.Result result : HealthCheckHelper.invokeReadiness(exchange.getContext())) {
      Map<String, Object> check = new LinkedHashMap<>();
      check.put("status", result.getState() == HealthCheck.State.UP ? "ok" : "down");
      result.getMessage().ifPresent(message -> check.put("reason", message));
      checks.put(result.getCheck().getId(), check);
      up &= result.getState() == HealthCheck.State.UP;
    }
    Map<String, Object> ready = new LinkedHashMap<>();
    ready.put("status", up ? "ok" : "down");
    ready.put("ok", up);
    ready.put("checks", checks);
    Answers.write(exchange, up ? 200 : 503, ready);
  }

  /** What the service is doing. */
  public Map<String, Object> status() {
    Map<String, Object> status = new LinkedHashMap<>();
    status.put("ok", true);
    status.put("active", true);
    status.put("scheduler_active", true);
    status.put("pending_messages", outbox.pending());
    status.put("uptime_seconds", (System.nanoTime() - start) / 1_000_000_000);
    return status;
  }
}
