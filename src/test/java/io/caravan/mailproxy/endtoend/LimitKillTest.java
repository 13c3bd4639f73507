package io.caravan.mailproxy.endtoend;

import static java.time.Duration.ofMillis;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A kill -9 amid the mails that a limit allows. */
class LimitKillTest {
  private static final int KILLS = 2;
  private static final int LIMIT = 120;
  private static final Duration SOON = Duration.ofSeconds(30);

  @TempDir Path folder;

  /** What a kill may cost is a block of permits, never one too many: copies count as well. */
  @Test
  @Timeout(value = 300, unit = TimeUnit.SECONDS)
  void no_limit_is_exceeded_when_the_process_is_killed() throws Exception {
    AtomicInteger mails = new AtomicInteger();
    SmtpSink.Listener slowly =
        mail -> {
          mails.incrementAndGet();
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
        };
    ProxyProcess proxy = start();
    try (SmtpSink relay = new SmtpSink(slowly)) {
      proxy.post("/tenant", "{\"id\":\"acme\"}");
      proxy.post("/account", account(relay.port(), LIMIT));
      proxy.post("/commands/add-messages", batch(2 * LIMIT));
      for (int kill = 1; kill <= KILLS; kill++) {
        int moment = kill * LIMIT / (KILLS + 1);
        await().pollInterval(ofMillis(1)).atMost(SOON).until(() -> mails.get() >= moment);
        proxy.kill();
        assertThat(mails).as("killed amid the limit").hasValueLessThan(LIMIT);
        proxy = start();
      }
      ProxyProcess last = proxy;
      await().atMost(SOON).until(() -> limited(last));

      assertThat(proxy.stop()).isZero();
      assertThat(mails.get()).isBetween(LIMIT * KILLS / (KILLS + 1), LIMIT);
    } finally {
      proxy.close();
    }
  }

  private static boolean limited(ProxyProcess proxy) throws IOException {
    try (KeepAlive connection = proxy.connect()) {
      String limited = "gmp_rate_limited_total{account_id=\"relay\"} 1.0";
      return connection.get("/metrics").body().contains(limited);
    }
  }

  private ProxyProcess start() throws IOException {
    return ProxyProcess.start(folder, "GMP_RETRY_DELAYS", "1");
  }

  private static String account(int port, int limit) {
    return String.format(
        "{\"id\":\"relay\",\"tenant_id\":\"acme\",\"host\":\"127.0.0.1\",\"port\":%d,"
            + "\"max_connections\":5,\"limit_per_day\":%d}",
        port, limit);
  }

  private static String batch(int messages) {
    return IntStream.range(0, messages)
        .mapToObj(
            i ->
                "{\"id\":\"m-"
                    + i
                    + "\",\"tenant_id\":\"acme\",\"account_id\":\"relay\",\"from\":\"a@b.test\","
                    + "\"to\":[\"b@b.test\"],\"subject\":\"s\",\"body\":\"b\"}")
        .collect(joining(",", "{\"messages\":[", "]}"));
  }
}
