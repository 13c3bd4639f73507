package io.caravan.mailproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** routes/errors.camel.yaml: what becomes of what goes wrong; HTTP is BadInputTest's. */
class ErrorsTest {
  private static final String SAID = "ERROR mine failed, next round in 1 s: no";

  @TempDir Path home;

  @Test
  void a_round_of_a_loop_that_fails_is_told_and_the_next_one_comes_after_a_pause() {
    TestProxy.route(
        home,
        "mine.camel.yaml",
        """
        - route:
            id: mine
            routeConfigurationId: loop
            from:
              uri: timer:mine
              parameters: { delay: 0, period: 1 }
              steps:
                - throwException: { message: "no", exceptionType: java.lang.IllegalStateException }
        """);
    try (LogLines log = new LogLines();
        TestProxy proxy = TestProxy.start(home)) {
      await().untilAsserted(() -> assertThat(said(log)).isNotEmpty());
      long first = System.nanoTime();
      int rounds = said(log).size();
      await().untilAsserted(() -> assertThat(said(log)).hasSizeGreaterThanOrEqualTo(rounds + 2));

      assertThat(System.nanoTime() - first)
          .as("two more rounds are a second apart at the least")
          .isGreaterThan(TimeUnit.MILLISECONDS.toNanos(900));
      assertThat(proxy.get("/health").statusCode()).isEqualTo(200);
    }
  }

  private static List<String> said(LogLines log) {
    return log.lines().stream().filter(SAID::equals).toList();
  }
}
