package io.caravan.mailproxy;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.caravan.mailproxy.endtoend.TestProxy;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A setting that cannot work refuses the start and is named. */
class RangesTest {
  @TempDir Path home;

  @ParameterizedTest
  @CsvSource({
    "queue.ram.concurrencyremote, 0, GMP_QUEUE_RAM_CONCURRENCYREMOTE",
    "queue.disk.concurrencyremote, -3, GMP_QUEUE_DISK_CONCURRENCYREMOTE",
    "sync.parallel, many, GMP_SYNC_PARALLEL",
    "sync.batch, 0, GMP_SYNC_BATCH",
    "retry.max-attempts, 0, GMP_RETRY_MAX_ATTEMPTS",
    "http.max-body-bytes, -1, GMP_HTTP_MAX_BODY_BYTES",
    "intake.max-bytes, 0, GMP_INTAKE_MAX_BYTES",
    "smtp.dot-timeout, '', GMP_SMTP_DOT_TIMEOUT",
    "client.sync-url, notaurl, client.sync-url",
    "client.sync-url, http://h:99999/, client.sync-url"
  })
  void the_start_is_refused(String key, String value, String named) {
    assertThatThrownBy(() -> TestProxy.start(home, key, value).close())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(key)
        .hasMessageContaining(named);
  }
}
