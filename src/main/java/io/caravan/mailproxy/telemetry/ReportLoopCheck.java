package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.report.Reports;

/** Down when the loop that calls sync endpoints stands still. */
public final class ReportLoopCheck extends LoopCheck {

  public ReportLoopCheck(Reports reports, long limit) {
    super("report-loop", "find-reports", reports::secondsSinceRound, limit);
  }
}
