package io.caravan.mailproxy.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The short form of bench/chaos. */
class KillTest {
  private static final int ROUNDS = 5;
  private static final int MESSAGES = 100;

  @TempDir Path folder;

  @Test
  @Timeout(value = 120, unit = TimeUnit.SECONDS)
  void no_accepted_message_is_lost_and_no_duplicate_is_silent_when_the_process_is_killed()
      throws Exception {
    long seed = System.nanoTime();
    try (KillRounds rounds = new KillRounds(folder, new Random(seed))) {
      for (int i = 0; i < ROUNDS; i++) {
        rounds.round(MESSAGES);
      }
      KillRounds.Result result = rounds.finish();
      assertThat(result.accepted()).as("messages that got a 2xx").isPositive();
      assertThat(result.holds()).as("seed %d: %s", seed, result).isTrue();
    }
  }
}
