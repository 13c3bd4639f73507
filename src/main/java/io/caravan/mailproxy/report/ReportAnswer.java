package io.caravan.mailproxy.report;

import org.jspecify.annotations.Nullable;

/**
 * What the sync endpoint made of a call.
 *
 * @param acknowledged whether all events of the call are taken
 * @param reason why not
 * @param network whether there was no answer at all
 * @param queued what the client says it has waiting, 0 and more
 * @param quietUntil Unix seconds before which it wants no call without reports; {@code null}: not
 *     said
 * @param retryAfterSeconds when it wants to be asked again after a refusal; {@code null}: not said
 */
public record ReportAnswer(
    boolean acknowledged,
    String reason,
    boolean network,
    long queued,
    @Nullable Long quietUntil,
    @Nullable Long retryAfterSeconds) {

  static ReportAnswer refused(String reason, @Nullable Long retryAfterSeconds) {
    return new ReportAnswer(false, reason, false, 0, null, retryAfterSeconds);
  }

  static ReportAnswer unanswered(String reason) {
    return new ReportAnswer(false, reason, true, 0, null, null);
  }

  static ReportAnswer taken() {
    return new ReportAnswer(true, "", false, 0, null, null);
  }
}
