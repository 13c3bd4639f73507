package io.caravan.mailproxy.endtoend;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.db.Sql;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is over is kept for a time, then it goes (genro-api 4.4); on PostgreSQL with its slice. */
class RetentionTest {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final Duration HOUR_AND_HALF = Duration.ofMinutes(90);
  private static final String FAR = "4000000000";

  private static final String SLICES =
      "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '_s[0-9]+$' ORDER BY 1";

  private static final String PARTS =
      "SELECT tenant_id || ' ' || id || ' ' || regexp_replace(tableoid::regclass::text, '\\d+', 'n', 'g')"
          + " FROM message ORDER BY 1";

  @TempDir Path home;
  private ScriptedSmtpServer relay;
  private TestApplication application;

  @BeforeEach
  void start() throws Exception {
    relay = new ScriptedSmtpServer();
    application = new TestApplication();
    MovableClock.wire(home);
    Awaitility.setDefaultTimeout(SOON);
  }

  @AfterEach
  void stop() throws Exception {
    Awaitility.reset();
    relay.close();
    application.close();
  }

  private TestProxy proxy() {
    return TestProxy.start(
        home,
        "delivery.report-retention-seconds",
        "7200",
        "retention.check-seconds",
        "1",
        "sync.retry-delays",
        "1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"sqlite", "postgresql"})
  void what_is_over_for_long_goes_and_what_is_not_stays(String store) throws Exception {
    boolean sliced = store.equals("postgresql");
    if (sliced) {
      TestStore.share(home);
    }
    try (TestProxy proxy = proxy()) {
      awaitSlices(sliced, 1);
      MovableClock.advance(Duration.ofMinutes(2)); // the first slice begins
      awaitSlices(sliced, 2);
      tenant(proxy, "told", application.url());
      tenant(proxy, "silent", null);
      tenant(proxy, "deaf", "http://127.0.0.1:1");
      proxy.submit(message("told", "a", "done"));
      proxy.submit(message("told", "a", "waits", "deferred_ts", Long.valueOf(FAR)));
      proxy.submit(message("silent", "a", "done"));
      proxy.submit(message("deaf", "a", "done"));
      await().until(() -> proxy.state("silent", "done").equals("sent"));
      await().until(() -> proxy.state("deaf", "done").equals("sent"));
      awaitTold(1);

      MovableClock.advance(HOUR_AND_HALF);
      awaitSlices(sliced, 3);
      await().until(() -> queued(proxy, message("told", "a", "young")) == 1);
      assertThat(ids(proxy, "told")).containsExactlyInAnyOrder("done", "waits", "young");
      assertThat(refusal(proxy, "done")).isEqualTo("already sent");
      awaitTold(2);

      MovableClock.advance(HOUR_AND_HALF);
      await().untilAsserted(() -> assertThat(ids(proxy, "silent")).isEmpty());
      await()
          .untilAsserted(
              () -> assertThat(ids(proxy, "told")).containsExactlyInAnyOrder("waits", "young"));
      assertThat(ids(proxy, "deaf")).containsExactly("done");
      assertThat(proxy.get("/messages/done?tenant_id=told").statusCode()).isEqualTo(404);
      assertThat(rows("SELECT count(*) FROM event WHERE tenant_id = 'silent'")).isEqualTo("0");
      assertThat(rows("SELECT count(*) FROM recipient WHERE tenant_id = 'silent'")).isEqualTo("0");
      if (sliced) {
        await()
            .untilAsserted(() -> assertThat(texts(SLICES)).noneMatch(name -> name.endsWith("s1")));
        assertThat(texts(PARTS))
            .containsExactly(
                "deaf done message_n_kept", "told waits message_n_kept", "told young message_n_sn");
      }

      assertThat(queued(proxy, message("told", "a", "done"))).isEqualTo(1);
      assertThat(queued(proxy, message("told", "a", "waits", "subject", "new"))).isEqualTo(1);
      await().until(() -> proxy.state("told", "waits").equals("sent"));
      awaitTold(4);
      proxy.post("/tenant", Map.of("id", "deaf", "client_base_url", application.url()));
      awaitTold(5);

      MovableClock.advance(HOUR_AND_HALF.multipliedBy(2));
      await().untilAsserted(() -> assertThat(ids(proxy, "told")).isEmpty());
      await().untilAsserted(() -> assertThat(ids(proxy, "deaf")).isEmpty());
      for (String table : List.of("message", "recipient", "event", "queue")) {
        await()
            .untilAsserted(
                () -> assertThat(rows("SELECT count(*) FROM " + table)).as(table).isEqualTo("0"));
      }
    }
  }

  /**
   * The other node stands still between its look and its commit; its message is in a part apart.
   */
  @Test
  void an_id_is_stored_once_where_two_nodes_store_it_into_two_slices_at_once() throws Exception {
    TestStore.share(home);
    try (TestProxy proxy = proxy();
        Connection other = TestStore.connect(home)) {
      awaitSlices(true, 1);
      MovableClock.advance(Duration.ofSeconds(62)); // the first slice has just begun
      tenant(proxy, "told", application.url());
      other.setAutoCommit(false);
      Sql sql = new Sql("postgresql");
      assertThat(first(other, sql.load("begin"), 2)).isEqualTo("t");
      first(other, sql.load("lock-ids"), 1);
      assertThat(insert(other, sql.load("insert-message"))).isEqualTo(1);

      CompletableFuture<String> answer =
          CompletableFuture.supplyAsync(() -> refusal(proxy, "at-once"));
      await()
          .until(
              () ->
                  !texts(
                          "SELECT pid::text FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                      .isEmpty());
      assertThat(answer).isNotDone();
      other.commit();
      assertThat(answer.get()).isEqualTo("already sent");
      assertThat(rows("SELECT count(*) FROM message")).isEqualTo("1");
    }
  }

  private static int insert(Connection connection, String sql) throws SQLException {
    List<Object> row = new ArrayList<>();
    row.add(7L);
    row.addAll(List.of("told", "at-once", "a", 2, "b", 0L, 0L, "{}", ""));
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < row.size(); i++) {
        Object value = row.get(i);
        String type =
            value instanceof Long ? "bigint" : value instanceof Integer ? "integer" : "text";
        statement.setArray(i + 1, connection.createArrayOf(type, new Object[] {value}));
      }
      int rows = 0;
      try (ResultSet keys = statement.executeQuery()) {
        while (keys.next()) {
          rows++;
        }
      }
      return rows;
    }
  }

  private void tenant(TestProxy proxy, String id, String url) {
    proxy.post(
        "/tenant", url == null ? Map.of("id", id) : Map.of("id", id, "client_base_url", url));
    proxy.relayAccount(id, "a", relay.port());
  }

  /** So many events have arrived, and all is recorded as told that can be. */
  private void awaitTold(int events) {
    await().until(() -> application.events().size() == events);
    String open =
        "SELECT count(*) FROM event WHERE reported_at IS NULL AND type = 'sent' AND tenant_id IN"
            + " (SELECT id FROM tenant WHERE client_base_url LIKE '"
            + application.url()
            + "%')";
    await().until(() -> rows(open).equals("0"));
  }

  private void awaitSlices(boolean sliced, int count) {
    if (sliced) {
      await().until(() -> rows("SELECT count(*) FROM slice").equals("" + count));
    }
  }

  private static int queued(TestProxy proxy, Map<String, Object> message) {
    return json(proxy.post("/commands/add-messages", Map.of("messages", List.of(message))))
        .path("queued")
        .intValue();
  }

  private static String refusal(TestProxy proxy, String id) {
    return json(proxy.post(
            "/commands/add-messages", Map.of("messages", List.of(message("told", "a", id)))))
        .path("rejected")
        .path(0)
        .path("reason")
        .asText();
  }

  private static List<String> ids(TestProxy proxy, String tenant) {
    return json(proxy.get("/messages?tenant_id=" + tenant))
        .path("messages")
        .valueStream()
        .map(message -> message.path("id").asText())
        .toList();
  }

  private String rows(String sql) throws SQLException {
    return texts(sql).get(0);
  }

  private List<String> texts(String sql) throws SQLException {
    List<String> texts = new ArrayList<>();
    try (Connection connection = TestStore.connect(home);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        texts.add(rows.getString(1));
      }
    }
    return texts;
  }

  private static String first(Connection connection, String sql, int column) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(column);
    }
  }
}
