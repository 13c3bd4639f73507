package io.caravan.mailproxy.endtoend;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.http.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What two nodes on one PostgreSQL database know of an account whose relay is in trouble. */
class NodesCircuitTest {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final Duration PROBE = Duration.ofSeconds(601);
  private static final Path QUERIES =
      Path.of("src/main/resources/db/queries/postgresql").toAbsolutePath();

  @TempDir static Path first;
  @TempDir static Path second;
  private static TestProxy one;
  private static TestProxy two;
  private static int tenants;

  private final String tenant = "t" + tenants++;
  private ScriptedSmtpServer relay;

  @BeforeAll
  static void start() {
    TestStore.share(first, second);
    MovableClock.wire(first);
    MovableClock.wire(second);
    one = start(first);
    two = start(second);
  }

  private static TestProxy start(Path home) {
    return TestProxy.start(
        home,
        "circuit.failures",
        "1",
        "circuit.probe-seconds",
        "600",
        "lease.seconds",
        "3600",
        "retry.delays",
        "60",
        "retry.jitter",
        "0");
  }

  @AfterAll
  static void stop() {
    one.close();
    two.close();
  }

  @BeforeEach
  void account() throws Exception {
    relay = new ScriptedSmtpServer();
    relay.script = step -> step.is("CONNECT") ? ScriptedSmtpServer.DROP : null;
    one.relayAccount(tenant, "a", relay.port());
    await().atMost(SOON).until(() -> state(two).equals("ok"));
  }

  @AfterEach
  void noAccount() throws Exception {
    one.delete("/account/a?tenant_id=" + tenant);
    await().atMost(SOON).until(() -> rows("SELECT account_pk FROM circuit").isEmpty());
    await().atMost(SOON).until(() -> rows("SELECT pk FROM queue").isEmpty());
    relay.close();
  }

  @Test
  void one_finds_out_for_all_and_one_tries_for_all() throws Exception {
    double before = Metrics.of(two).sum("remote_attempts_started");
    one.submit(message(tenant, "a", "m0"));
    await().atMost(SOON).until(() -> state(two).equals("refused"));
    assertThat(health(two)).isEqualTo(health(one));
    two.submit(message(tenant, "a", "m1"));
    one.submit(message(tenant, "a", "m2"));
    await().atMost(SOON).until(() -> waitsFor(two, "m1").equals("circuit"));
    await().atMost(SOON).untilAsserted(() -> assertThat(metric(two, "refused")).isEqualTo(1));
    assertThat(metric(two, "ok")).isZero();
    assertThat(relay.connections).hasValue(1);
    assertThat(Metrics.of(two).sum("remote_attempts_started")).isEqualTo(before);

    long next = health(two).path("next_probe_ts").asLong();
    MovableClock.advance(PROBE);
    for (TestProxy node : List.of(one, two)) {
      await()
          .atMost(SOON)
          .until(
              () -> {
                JsonNode health = health(node);
                return health.path("state").asText().equals("refused")
                    && health.path("next_probe_ts").asLong() > next;
              });
    }
    assertThat(relay.connections).as("one has tried").hasValue(2);

    relay.script = step -> null;
    MovableClock.advance(PROBE);
    for (int i = 0; i < 3; i++) {
      String id = "m" + i;
      await().atMost(SOON).until(() -> one.state(tenant, id).equals("sent"));
    }
    await().atMost(SOON).until(() -> state(one).equals("ok") && state(two).equals("ok"));
    await().atMost(SOON).untilAsserted(() -> assertThat(told()).containsExactly("refused", "ok"));
    assertThat(rows("SELECT account_pk FROM circuit")).isEmpty();
  }

  @Test
  void an_account_that_is_set_at_one_node_starts_anew_at_all() throws Exception {
    one.submit(message(tenant, "a", "m0"));
    await().atMost(SOON).until(() -> state(two).equals("refused"));
    try (ScriptedSmtpServer other = new ScriptedSmtpServer()) {
      two.relayAccount(tenant, "a", other.port());
      await().atMost(SOON).until(() -> state(one).equals("ok") && state(two).equals("ok"));
      one.submit(message(tenant, "a", "m1"));
      await().atMost(SOON).until(() -> two.state(tenant, "m1").equals("sent"));
    }
    await().atMost(SOON).until(() -> told().equals(List.of("refused", "ok")));
  }

  @Test
  void a_node_that_died_while_it_tried_is_not_waited_for_for_ever() throws Exception {
    relay.script = step -> null;
    String row =
        "INSERT INTO circuit (account_pk, node, state, reason, since, revision, until_at, trial)"
            + " SELECT pk, 0, 'REFUSED', 'gone', now_ms(), revision, now_ms() + 600000, true"
            + " FROM account WHERE tenant_id = '";
    change(row + tenant + "'");
    for (TestProxy node : List.of(one, two)) {
      await().atMost(SOON).until(() -> state(node).equals("half_open"));
    }
    one.submit(message(tenant, "a", "m0"));
    two.submit(message(tenant, "a", "m1"));
    await().atMost(SOON).until(() -> waitsFor(two, "m1").equals("circuit"));
    assertThat(relay.connections).hasValue(0);

    MovableClock.advance(PROBE);
    await().atMost(SOON).until(() -> one.state(tenant, "m0").equals("sent"));
    await().atMost(SOON).until(() -> one.state(tenant, "m1").equals("sent"));
  }

  @Test
  void what_a_node_says_whose_lease_has_ended_counts_no_more() throws Exception {
    one.submit(message(tenant, "a", "m0"));
    await().atMost(SOON).until(() -> state(two).equals("refused"));
    String account = rows("SELECT account_pk FROM circuit").get(0);
    String alive = rows("SELECT node FROM circuit").get(0);
    Map<String, String> values =
        Map.of(
            "account",
            account,
            "revision",
            "1",
            "state",
            "'AUTH_FAILED'",
            "reason",
            "'late'",
            "since",
            "0",
            "until",
            "0",
            "trial",
            "false");
    for (String query : List.of("end-circuit", "put-circuit")) {
      assertThat(run(query, values, "0")).isEmpty();
    }
    String other = rows("SELECT pk FROM node WHERE pk <> " + alive).get(0);
    assertThat(run("put-circuit", values, other)).as("the first one's word counts").isEmpty();
    assertThat(rows("SELECT state FROM circuit")).containsExactly("REFUSED");
    assertThat(run("end-circuit", values, other)).containsExactly(account);
    await().atMost(SOON).until(() -> state(one).equals("ok") && state(two).equals("ok"));
  }

  private static List<String> run(String query, Map<String, String> values, String node)
      throws Exception {
    String sql = Files.readString(QUERIES.resolve(query + ".sql")).replace(":?node", node);
    for (Map.Entry<String, String> value : values.entrySet()) {
      sql = sql.replace(":?" + value.getKey(), value.getValue());
    }
    return rows(sql);
  }

  private static List<String> rows(String sql) throws SQLException {
    try (Connection connection = TestStore.connect(first);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      List<String> found = new ArrayList<>();
      while (rows.next()) {
        found.add(rows.getString(1));
      }
      return found;
    }
  }

  private static void change(String sql) throws SQLException {
    try (Connection connection = TestStore.connect(first);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private List<String> told() throws SQLException {
    return rows(
            "SELECT data FROM event WHERE type = 'account' AND tenant_id = '"
                + tenant
                + "' ORDER BY pk")
        .stream()
        .map(data -> Json.tree(data).path("state").asText())
        .toList();
  }

  private String state(TestProxy node) {
    return health(node).path("state").asText();
  }

  private JsonNode health(TestProxy node) {
    return json(node.get("/accounts?tenant_id=" + tenant)).path("accounts").path(0).path("health");
  }

  private double metric(TestProxy node, String state) {
    return Metrics.of(node)
        .of("mailproxy_account_health{account_id=\"a\",state=\"" + state + "\"}");
  }

  private String waitsFor(TestProxy node, String id) {
    return json(node.get("/messages/" + id + "?tenant_id=" + tenant))
        .path("waiting")
        .path("state")
        .asText();
  }
}
