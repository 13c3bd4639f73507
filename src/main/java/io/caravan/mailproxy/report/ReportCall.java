package io.caravan.mailproxy.report;

import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * One call of a tenant's sync endpoint.
 *
 * @param guarded whether only public addresses of its host may be called
 * @param authorization value of the Authorization header; {@code null}: none
 * @param body the JSON to post
 * @param events what it reports; empty: a call that only asks
 * @param wanted whether it is due although it may report nothing
 * @param madeAt {@link System#nanoTime} when it was made
 */
public record ReportCall(
    String tenantId,
    String url,
    boolean guarded,
    @Nullable String authorization,
    String body,
    List<Event> events,
    boolean wanted,
    long madeAt) {

  /**
   * An event.
   *
   * @param pk its row's key
   * @param messagePk that of its message
   * @param at when it happened, Unix milliseconds
   */
  public record Event(long pk, long messagePk, long at) {}

  /** For Simple in routes: parameters of statements that change these events. */
  public Map<String, Object> getValues() {
    return Map.of(
        "tenant", tenantId,
        "keys", events.stream().map(Event::pk).toList().toString(),
        "first", messages().min().orElse(0),
        "last", messages().max().orElse(0));
  }

  private LongStream messages() {
    return events.stream().mapToLong(Event::messagePk);
  }

  /** Without the secret: this text may reach a log. */
  @Override
  public String toString() {
    return "ReportCall[" + tenantId + ", " + events.size() + " events]";
  }
}
