package io.caravan.mailproxy.throttle;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.message.QueueName;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class QuestionsTest {
  private static final int ASKING = 4;
  private static final int TIMES = 200_000;

  @Test
  void who_is_refused_is_at_no_moment_counted_as_asking() throws Exception {
    Questions questions = new Questions(1);
    assertThat(questions.tryAsk(QueueName.RAM)).isTrue();
    ExecutorService refused = Executors.newFixedThreadPool(ASKING);
    for (int i = 0; i < ASKING; i++) {
      refused.execute(
          () -> {
            for (int n = 0; n < TIMES; n++) {
              questions.tryAsk(QueueName.RAM);
            }
          });
    }
    refused.shutdown();
    int most = 0;
    while (!refused.isTerminated()) {
      most = Math.max(most, questions.inFlight(QueueName.RAM));
    }
    assertThat(refused.awaitTermination(1, TimeUnit.SECONDS)).isTrue();
    assertThat(most).as("R7").isEqualTo(1);
  }
}
