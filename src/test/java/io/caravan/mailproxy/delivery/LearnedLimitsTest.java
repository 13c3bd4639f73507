package io.caravan.mailproxy.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What a relay taught is held to, and tried anew after a while (F19, F31). */
class LearnedLimitsTest {
  private static final long LONG_AGO = -5_000_000_000L;
  private static final long MINUTE = LearnedLimits.ONE_MORE_AFTER.toNanos();

  private final LearnedLimits learned = new LearnedLimits();

  @Test
  void messagesAreTheFewestThatWereSeenForAWhile() {
    assertThat(learned.mostMessages(0, LONG_AGO)).isZero();
    assertThat(learned.mostMessages(7, LONG_AGO)).isEqualTo(7);
    learned.closedAfter(5, LONG_AGO);
    assertThat(learned.mostMessages(0, LONG_AGO)).isEqualTo(5);
    assertThat(learned.mostMessages(3, LONG_AGO)).isEqualTo(3);
    learned.closedAfter(4, LONG_AGO);
    learned.closedAfter(6, LONG_AGO);
    assertThat(learned.mostMessages(0, LONG_AGO)).isEqualTo(4);
    long later = LONG_AGO + LearnedLimits.MESSAGES_FOR.toNanos();
    assertThat(learned.mostMessages(0, later)).isZero();
    learned.closedAfter(9, later);
    assertThat(learned.mostMessages(0, later)).isEqualTo(9);
  }

  @Test
  void connectionsGrowBackOneByOne() {
    assertThat(learned.mostConnections(10, LONG_AGO)).isEqualTo(10);
    learned.refusedBeside(4, LONG_AGO);
    assertThat(learned.mostConnections(10, LONG_AGO)).isEqualTo(4);
    assertThat(learned.mostConnections(2, LONG_AGO)).as("never above what is set").isEqualTo(2);
  }

  @Test
  void whoRefusesTheOnlyConnectionSaysNothingOfTheirNumber() {
    learned.refusedBeside(1, LONG_AGO);
    learned.refusedAlone();
    assertThat(learned.mostConnections(10, LONG_AGO)).isEqualTo(10);
  }

  @Test
  void eachMinuteWithoutRefusalAddsOne() {
    learned.refusedBeside(4, LONG_AGO);
    long steps = 0;
    for (int minutes = 2; minutes < 8; minutes++) {
      int most = learned.mostConnections(10, LONG_AGO + minutes * MINUTE);
      assertThat(most).isBetween(4 + minutes - 1, Math.min(10, 4 + minutes));
      steps = most;
    }
    assertThat(steps).isEqualTo(10);
    assertThat(learned.mostConnections(10, LONG_AGO)).as("forgotten").isEqualTo(10);
    learned.refusedBeside(3, LONG_AGO);
    learned.refusedBeside(8, LONG_AGO);
    assertThat(learned.mostConnections(10, LONG_AGO)).isEqualTo(3);
  }
}
