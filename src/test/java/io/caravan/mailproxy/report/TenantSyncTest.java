package io.caravan.mailproxy.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TenantSyncTest {
  private static final List<Long> DELAYS = List.of(5L, 30L, 300L);

  private final TenantSync sync = new TenantSync();

  private long refused(boolean told) {
    return sync.refused(0, DELAYS, ReportAnswer.refused("no", null), told);
  }

  @Test
  void calls_that_tell_nothing_let_no_report_wait_longer() {
    assertThat(List.of(refused(false), refused(false), refused(true)))
        .containsExactly(5_000L, 5_000L, 5_000L);
    assertThat(List.of(refused(true), refused(true), refused(true)))
        .containsExactly(30_000L, 300_000L, 300_000L);
    sync.called(0);
    assertThat(refused(true)).isEqualTo(5_000);
  }
}
