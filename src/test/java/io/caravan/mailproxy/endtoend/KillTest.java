package io.caravan.mailproxy.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a kill -9 must not break. */
class KillTest {
  private static final int ROUNDS = 5;
  private static final int MESSAGES = 100;

  @TempDir Path folder;

  /** The short form of bench/chaos. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Timeout(value = 300, unit = TimeUnit.SECONDS)
  void no_accepted_message_is_lost_and_no_duplicate_is_silent_when_the_process_is_killed(
      boolean postgres) throws Exception {
    long seed = System.nanoTime();
    Path home = folder.resolve("home");
    if (postgres) {
      TestStore.share(home);
    }
    try (FaultRounds rounds = new FaultRounds(folder, new Random(seed), home)) {
      for (int i = 0; i < ROUNDS; i++) {
        rounds.round(MESSAGES, FaultRounds.Fault.KILL);
      }
      Ledgers.Result result = rounds.finish();
      assertThat(result.accepted()).as("messages that got a 2xx").isPositive();
      assertThat(result.holds()).as("seed %d: %s", seed, result).isTrue();
    }
  }
}
