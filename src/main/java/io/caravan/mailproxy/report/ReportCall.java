package io.caravan.mailproxy.report;

import java.util.List;
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
   * @param at when it happened, Unix milliseconds
   */
  public record Event(long pk, long at) {}

  /** For Simple in routes: the keys as a JSON list. */
  public String getKeys() {
    return events.stream().map(Event::pk).toList().toString();
  }

  /** Without the secret: this text may reach a log. */
  @Override
  public String toString() {
    return "ReportCall[" + tenantId + ", " + events.size() + " events]";
  }
}
