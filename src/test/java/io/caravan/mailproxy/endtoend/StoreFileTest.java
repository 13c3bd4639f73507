package io.caravan.mailproxy.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** Faults of the database's file (reliability-security A5: F13, F14, F15, F47). */
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
  void a_disk_that_does_not_keep_what_it_is_given_is_told_and_nothing_is_lost() throws Exception {
    try (ProxyProcess proxy = ProxyProcess.start(home)) {
      proxy.post("/tenant", "{\"id\":\"acme\"}");
      proxy.post("/account", "{\"id\":\"a\",\"tenant_id\":\"acme\",\"type\":\"sandbox\"}");
      try (FailingDisk disk = FailingDisk.under(home, List.of(proxy.pid()))) {
        assertThat(accept(proxy, "refused")).isEqualTo(503);
        assertThat(proxy.refusal("/commands/add-messages", json("refused")))
            .contains("Retry-After");
        await().until(() -> ready(proxy) == 503);
        assertThat(disk.failed()).isPositive();
      }

      await().until(() -> ready(proxy) == 200);
      await().until(() -> accept(proxy, "goes") == 200);
      proxy.awaitEmpty(Duration.ofSeconds(30));
      proxy.stop();
    }
    try (Connection store = TestStore.connect(home);
        Statement statement = store.createStatement();
        ResultSet rows = statement.executeQuery("SELECT group_concat(id) FROM message")) {
      assertThat(rows.getString(1)).isEqualTo("goes");
    }
  }

  @Test
  void a_damaged_file_is_refused_and_left_as_it_is() throws Exception {
    ProxyProcess.start(home).stop();
    Path file = ProxyProcess.database(home);
    try (RandomAccessFile pages = new RandomAccessFile(file.toFile(), "rw")) {
      pages.seek(2 * PAGE);
      pages.write(new byte[PAGE]);
    }
    byte[] damaged = Files.readAllBytes(file);

    assertThatThrownBy(() -> ProxyProcess.start(home))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("malformed");
    assertThat(Files.readAllBytes(file)).isEqualTo(damaged);
  }

  @Test
  void a_file_of_a_later_version_is_refused() throws Exception {
    ProxyProcess.start(home).stop();
    try (Connection store = TestStore.connect(home);
        Statement statement = store.createStatement()) {
      statement.execute(TestStore.LATER);
    }

    assertThatThrownBy(() -> ProxyProcess.start(home))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("its schema is of a later version");
  }

  private static int accept(ProxyProcess proxy, String id) throws IOException {
    try (KeepAlive connection = proxy.connect()) {
      return connection.post("/commands/add-messages", json(id)).status();
    }
  }

  private static int ready(ProxyProcess proxy) throws IOException {
    try (KeepAlive connection = proxy.connect()) {
      return connection.get("/health/ready").status();
    }
  }

  private static String json(String id) {
    return Json.text(batch(id));
  }

  private static Map<String, Object> batch(String id) {
    return Map.of("messages", List.of(TestProxy.message("acme", "a", id)));
  }
}
