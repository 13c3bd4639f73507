package io.caravan.mailproxy.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** Faults of the database's file (reliability-security A5: F14, F15, F47). */
@DisabledIfSystemProperty(named = "mailproxy.store", matches = "postgresql")
class StoreFileTest {
  private static final int PAGE = 4096;

  @TempDir Path home;

  @Test
  void a_file_that_another_process_writes_to_is_waited_for_then_told_and_taken_up_again()
      throws Exception {
    try (TestProxy proxy = TestProxy.start(home);
        Connection other =
            DriverManager.getConnection("jdbc:sqlite:" + ProxyProcess.database(home));
        Statement statement = other.createStatement()) {
      proxy.sandboxAccount("acme", "a");
      statement.execute("BEGIN EXCLUSIVE");

      HttpResponse<String> refused = proxy.post("/commands/add-messages", batch("waits"));
      assertThat(refused.statusCode()).isEqualTo(503);
      assertThat(refused.body()).contains("store_unavailable");
      assertThat(refused.headers().firstValue("Retry-After")).isPresent();

      statement.execute("ROLLBACK");
      await().until(() -> proxy.post("/commands/add-messages", batch("goes")).statusCode() == 200);
      await().until(() -> proxy.state("acme", "goes").equals("sent"));
    }
  }

  @Test
  void a_damaged_file_is_refused_and_left_as_it_is() throws Exception {
    started(home).stop();
    Path file = ProxyProcess.database(home);
    try (RandomAccessFile pages = new RandomAccessFile(file.toFile(), "rw")) {
      pages.seek(2 * PAGE);
      pages.write(new byte[PAGE]);
    }
    byte[] damaged = Files.readAllBytes(file);

    assertThatThrownBy(() -> started(home))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("malformed");
    assertThat(Files.readAllBytes(file)).isEqualTo(damaged);
  }

  @Test
  void a_file_of_a_later_version_is_refused() throws Exception {
    started(home).stop();
    try (Connection store = TestStore.connect(home);
        Statement statement = store.createStatement()) {
      statement.execute(TestStore.LATER);
    }

    assertThatThrownBy(() -> started(home))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not resolved locally: 999");
  }

  private static ProxyProcess started(Path home) throws IOException {
    return ProxyProcess.start(
        TestProxy.home(home),
        System.getProperty("java.class.path"),
        List.of("-Xshare:auto", "-XX:TieredStopAtLevel=1"));
  }

  private static Map<String, Object> batch(String id) {
    return Map.of("messages", List.of(TestProxy.message("acme", "a", id)));
  }
}
