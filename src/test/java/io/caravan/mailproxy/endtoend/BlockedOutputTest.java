package io.caravan.mailproxy.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.http.Json;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A log that nobody reads (reliability-security A5, F50). */
class BlockedOutputTest {
  /** More lines than a pipe of 64 KB and the log's buffer of 8,192 hold together. */
  private static final int MAILS = 11_000;

  private static final int BATCH = 1_000;
  private static final int PIPE = 65_536;

  @TempDir Path home;

  @Test
  void mail_goes_on_while_nobody_reads_the_output() throws Exception {
    Path pipe = home.resolve("output");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    CompletableFuture<InputStream> unread =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return new FileInputStream(pipe.toFile());
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    AtomicInteger taken = new AtomicInteger();
    try (SmtpSink sink = new SmtpSink(mail -> taken.incrementAndGet());
        ProxyProcess proxy =
            ProxyProcess.startBy(
                List.of("sh", "-c", "exec \"$@\" > '" + pipe + "' 2>&1", "sh"),
                TestProxy.home(home),
                System.getProperty("java.class.path"),
                ProxyProcess.QUICK_START);
        InputStream output = unread.join()) {
      proxy.post("/account", Json.text(account(sink.port())));
      for (int first = 0; first < MAILS; first += BATCH) {
        List<Map<String, Object>> mails = new ArrayList<>();
        for (int i = first; i < first + BATCH; i++) {
          mails.add(TestProxy.message("acme", "a", "m-" + i));
        }
        proxy.post("/commands/add-messages", Json.text(Map.of("messages", mails)));
      }
      await().atMost(Duration.ofSeconds(60)).until(() -> taken.get() == MAILS);
      proxy.awaitEmpty(Duration.ofSeconds(30));
      assertThat(output.available()).as("a full pipe").isGreaterThan(PIPE - 4_096);
    }
  }

  private static Map<String, Object> account(int port) {
    return Map.of("id", "a", "tenant_id", "acme", "host", "127.0.0.1", "port", port);
  }
}
