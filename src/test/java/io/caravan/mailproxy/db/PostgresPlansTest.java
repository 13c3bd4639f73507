package io.caravan.mailproxy.db;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.endtoend.TestStore;
import io.caravan.mailproxy.http.Json;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What PostgreSQL does for the statements that run while mail flows, on tables of 100,000 rows:
 * with the values in sight as at first, and without as once the driver has prepared them.
 */
class PostgresPlansTest {
  private static final Pattern PLACE = Pattern.compile("\\?|:\\?(\\w+)");

  /** Pages of 8 KB. A look at all of the smallest table takes 1,500. */
  private static final int FEW_PAGES = 500;

  /** A partition in which nearly nothing is may well be read from end to end. */
  private static final int EMPTY_PAGES = 20;

  /** The key of message 50,001, of tenant t1 and on lane 2/0; every tenth is leased by node 1. */
  private static final String PK = "3276865536";

  /** Slices of time over the tables, and the time of the key 0, Unix milliseconds. */
  private static final int SLICES = 4;

  private static final long KEYS_SINCE = 1_735_689_600_000L;

  private static final String LEASED = "3276800000";

  /** Name of each statement; its values in turns, or name=value. */
  private static final List<List<String>> HOT =
      List.of(
          // intake
          List.of("find-message", "'t1'", "'m50001'"),
          List.of("find-keys", "tenant='t1'", "ids='[\"m21\",\"m50001\",\"none\"]'"),
          List.of("has-deliveries", "'t1'", PK, PK),
          List.of("message-deliveries", "'t1'", PK, PK),
          List.of(
              "insert-message",
              "1",
              "'t1'",
              "'new'",
              "'a1'",
              "2",
              "NULL",
              "NULL",
              "1",
              "'{}'",
              "NULL"),
          List.of(
              "insert-delivery",
              "'t1'",
              "1",
              "1",
              "2",
              "0",
              "'due'",
              "2",
              "1",
              "NULL",
              "1",
              "2000",
              "NULL",
              "NULL",
              "NULL"),
          List.of("insert-recipient", "'t1'", "1", "0", "1", "'r@example.org'", "1"),
          List.of("replace-message", "'a1'", "2", "NULL", "NULL", "'{}'", "NULL", "'t1'", PK),
          List.of("delete-deliveries", "'t1'", PK, PK),
          List.of("delete-recipients", "'t1'", PK),
          // claims
          List.of(
              "claim-due",
              "tenant='t1'",
              "account=2",
              "rule=0",
              "room=20",
              "node=1",
              "inline=65536"),
          List.of("next-due", "tenant='t1'", "account=2", "rule=0"),
          List.of("earliest-due"),
          List.of(
              "hold-due", "tenant='t1'", "batches='[\"b1\"]'", "account=2", "rule=0", "piece=200"),
          List.of("lane-tenant", "2"),
          List.of("read-message", "tenant='t1'", "message=" + PK, "delivery=" + PK),
          // attempts
          List.of("enter-data", "'t0'", LEASED, "1", "1"),
          List.of("defer-delivery", "1", "'t0'", LEASED, "1", "1"),
          List.of("release-delivery", "1", "'t0'", LEASED, "1", "1"),
          List.of("hold-uncertain", "'t0'", LEASED, "1", "1"),
          List.of("give-back", "'t0'", LEASED, "1", "1"),
          List.of("finish-delivery", "'t0'", LEASED, "1", "1"),
          List.of("settle-recipient", "'sent'", "250", "NULL", "'250 ok'", "1", "'t1'", PK, "0"),
          List.of("settle-rest", "'failed'", "'x'", "'x'", "1", "'t1'", PK, PK),
          List.of("doubt-recipients", "1", "'t1'", PK, PK),
          List.of("has-doubts", "'t1'", PK, PK),
          List.of("insert-event", "1", PK, "'t1'", "'sent'", "1", "NULL", "'{}'"),
          List.of("failed-recipients", "'t1'", PK),
          List.of("lock-message", "'t1'", PK),
          List.of("has-event", "'t1'", PK, PK),
          List.of("has-message", "'t1'", PK),
          List.of("delivery-message", "'t1'", PK),
          List.of("end-delivery", "'t1'", PK),
          List.of("fail-message", "'t1'", PK),
          // reports
          List.of("unreported-tenants"),
          List.of("read-unreported", "tenant='t1'", "batch=100"),
          List.of(
              "acknowledge-events",
              "tenant='t1'",
              "first=" + PK,
              "last=" + PK,
              "keys='[" + PK + "]'"),
          List.of("mark-tried", "tenant='t1'", "first=" + PK, "last=" + PK, "keys='[" + PK + "]'"),
          // lists
          List.of(
              "walk-messages", "tenant='t1'", "priority=1", "after=0", "upto=" + PK, "look=200"),
          List.of("walk-failed", "tenant='t1'", "priority=1", "after=0", "upto=" + PK, "look=200"),
          List.of(
              "walk-batch",
              "tenant='t1'",
              "batch='b1'",
              "priority=1",
              "after=0",
              "upto=" + PK,
              "look=200"),
          List.of(
              "filter-keys",
              "tenant='t1'",
              "priority=1",
              "account=NULL",
              "batch=NULL",
              "since=0",
              "until=9000000000000",
              "active=0",
              "status='pending'",
              "before=0",
              "listened=1",
              "stopped='[]'",
              "recipient='r50001@example.org'",
              "keys='[" + PK + "]'"),
          List.of("read-detail", "tenant='t1'", "id='m50001'"),
          List.of("list-messages", "tenant='t1'", "keys='[" + PK + "]'", "history=1"),
          // the end of messages, and of nodes
          List.of("count-waiting", "'[" + PK + "]'", "'t1'"),
          List.of("remove-deliveries", "'[" + PK + "]'", "'t1'"),
          List.of("remove-recipients", "'[" + PK + "]'", "'t1'"),
          List.of("remove-events", "'[" + PK + "]'", "'t1'"),
          List.of("remove-messages", "'[" + PK + "]'", "'t1'"),
          List.of("interrupted-deliveries", "9"),
          List.of("leased-here", "node=9"),
          List.of("given-up", "piece=500", "oldest=0", "age=432000000"),
          List.of("held-window", "after=0", "piece=100"));

  private static final List<List<String>> BY_KEY =
      List.of(
          List.of("enter-data", "'t0'", LEASED, "1", "1"),
          List.of("finish-delivery", "'t0'", LEASED, "1", "1"),
          List.of("defer-delivery", "1", "'t0'", LEASED, "1", "1"),
          List.of("release-delivery", "1", "'t0'", LEASED, "1", "1"),
          List.of("give-back", "'t0'", LEASED, "1", "1"),
          List.of("hold-uncertain", "'t0'", LEASED, "1", "1"),
          List.of("count-crash", LEASED, "1"));

  /** Those that are not for one tenant: of a start, of another node's end, of rounds of a node. */
  private static final Set<String> OF_ALL =
      Set.of(
          "earliest-due",
          "lane-tenant",
          "unreported-tenants",
          "interrupted-deliveries",
          "leased-here",
          "given-up",
          "held-window");

  /**
   * Those that ask for a client's id, or go through what a tenant has: they look into each slice.
   */
  private static final Set<String> OF_ALL_TIME =
      Set.of(
          "filter-keys",
          "find-keys",
          "find-message",
          "insert-message",
          "list-messages",
          "read-detail",
          "read-unreported",
          "remove-events",
          "remove-messages",
          "remove-recipients",
          "walk-batch",
          "walk-failed",
          "walk-messages");

  /** What the tables' parts saw so far in this transaction. */
  private static final String TOUCHED =
      "SELECT relname, seq_scan + coalesce(idx_scan, 0) + n_tup_ins + n_tup_upd + n_tup_del"
          + " FROM pg_stat_xact_user_tables WHERE relname ~ '^(message|queue|recipient|event)_[0-3]'";

  @TempDir Path home;

  @Test
  void statements_of_the_flow_look_at_few_rows_of_one_partition_however_many_there_are()
      throws Exception {
    String url = TestStore.postgres();
    List<String> wrong = new ArrayList<>();
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection connection = TestStore.connect(url);
        Statement statement = connection.createStatement()) {
      fill(statement);
      connection.setAutoCommit(false);
      for (String mode : List.of("force_custom_plan", "force_generic_plan")) {
        for (List<String> hot : HOT) {
          String sql = database.sql().load(hot.get(0));
          Map<String, Long> before = touched(statement);
          JsonNode plan = plan(statement, mode, sql, hot.subList(1, hot.size()));
          Map<String, Long> after = touched(statement);
          connection.rollback();
          List<String> scanned = new ArrayList<>();
          collect(plan, scanned);
          int pages =
              plan.path("Shared Hit Blocks").asInt() + plan.path("Shared Read Blocks").asInt();
          boolean ofAll = OF_ALL.contains(hot.get(0));
          if (!scanned.isEmpty() || pages > (ofAll ? 2 * FEW_PAGES : FEW_PAGES)) {
            wrong.add("%s, %s: scans %s, %d pages".formatted(hot.get(0), mode, scanned, pages));
          }
          after.entrySet().removeAll(before.entrySet());
          Set<String> tables = new HashSet<>();
          Set<String> partitions = new HashSet<>();
          after.keySet().forEach(part -> tables.add(part.replaceFirst("_.*", "")));
          after.keySet().forEach(part -> partitions.add(part.replaceFirst("_\\D.*", "")));
          assertThat(tables).as(hot.get(0)).isNotEmpty();
          int parts = OF_ALL_TIME.contains(hot.get(0)) ? partitions.size() : after.size();
          if (Math.max(parts, partitions.size()) > tables.size() && !ofAll) {
            wrong.add("%s, %s: touches %s".formatted(hot.get(0), mode, after.keySet()));
          }
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void a_session_that_stands_still_ends_with_the_lease_and_none_compiles() throws Exception {
    try (Database database =
        Database.of(home.toString(), TestStore.postgres(), InstantSource.system(), 2)) {
      for (DataSource pool :
          List.of(database.commits(), database.aside(), database.writer(), database.reader())) {
        try (Connection connection = pool.getConnection();
            Statement statement = connection.createStatement();
            ResultSet row =
                statement.executeQuery(
                    "SELECT current_setting('idle_in_transaction_session_timeout')"
                        + " || ' ' || current_setting('jit')")) {
          row.next();
          assertThat(row.getString(1)).isEqualTo("2s off");
        }
      }
    }
  }

  /**
   * A new installation has no statistics, and plans made then serve until there are some: what
   * names a delivery has to find it by its key, not among all that its node has leased.
   */
  @Test
  void a_delivery_is_found_by_its_key_in_tables_that_nobody_has_looked_at() throws Exception {
    String url = TestStore.postgres();
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection connection = TestStore.connect(url);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (String mode : List.of("force_custom_plan", "force_generic_plan")) {
        for (List<String> hot : BY_KEY) {
          String sql = database.sql().load(hot.get(0));
          String plan = plan(statement, mode, sql, hot.subList(1, hot.size())).toString();
          connection.rollback();
          assertThat(plan).as("%s, %s", hot.get(0), mode).contains("pkey").doesNotContain("leased");
        }
      }
    }
  }

  private static void fill(Statement statement) throws SQLException {
    for (int slice = 0; slice < SLICES; slice++) { // the first eighth is in none
      statement.execute(
          "SELECT add_slice(%1$d + %2$d, %1$d + %2$d + 400)"
              .formatted(KEYS_SINCE, 200 + slice * 400));
    }
    statement.execute(
        """
        INSERT INTO message (pk, tenant_id, id, account_id, priority, batch_code, created_at, payload, failed)
        SELECT i * 65536, 't' || i % 5, 'm' || i, 'a' || i % 10, i % 4, 'b' || i % 1000, i, '{}',
               (i * 7919 % 53 = 0)::int
        FROM generate_series(1::bigint, 100000) i;
        INSERT INTO queue (tenant_id, pk, message_pk, account_pk, rule_pk, due_at, lease_owner, lease_epoch, accepted_at,
                           bytes, priority, state, hold_reason)
        SELECT 't' || i % 5, i * 65536, i * 65536, i % 10 + 1, (i % 3 = 1)::int, i, CASE WHEN i % 10 = 0 THEN 1 END, 1, now_ms(),
               2000, i % 4, CASE i % 10 WHEN 0 THEN 'leased' WHEN 9 THEN 'held' ELSE 'due' END,
               CASE WHEN i % 10 = 9 THEN 'suspended' END
        FROM generate_series(1::bigint, 100000) i;
        INSERT INTO recipient (tenant_id, message_pk, delivery_pk, changed_at, position, address, state)
        SELECT 't' || i % 5, i * 65536, i * 65536, i, 0, 'r' || i || '@example.org', 'pending'
        FROM generate_series(1::bigint, 100000) i;
        INSERT INTO event (pk, message_pk, at, reported_at, tenant_id, type, data)
        SELECT i * 65536, i * 65536, i, CASE WHEN i % 50 > 1 THEN i END, 't' || i % 5, 'deferred', '{}'
        FROM generate_series(1::bigint, 100000) i;
        INSERT INTO node (name, slot, started_at, until_at) VALUES ('n', 0, 0, 9000000000000);
        ANALYZE message, queue, recipient, event
        """);
    statement.execute("VACUUM message, queue, recipient, event");
  }

  private static Map<String, Long> touched(Statement statement) throws SQLException {
    Map<String, Long> touched = new HashMap<>();
    try (ResultSet rows = statement.executeQuery(TOUCHED)) {
      while (rows.next()) {
        if (rows.getLong(2) > 0) {
          touched.put(rows.getString(1), rows.getLong(2));
        }
      }
    }
    return touched;
  }

  private static JsonNode plan(Statement statement, String mode, String sql, List<String> values)
      throws SQLException {
    Map<String, String> named = new HashMap<>();
    values.stream()
        .map(value -> value.split("=", 2))
        .filter(pair -> pair.length == 2)
        .forEach(pair -> named.put(pair[0], pair[1]));
    List<String> given = new ArrayList<>();
    Matcher place = PLACE.matcher(sql);
    String numbered =
        place.replaceAll(
            found -> {
              given.add(
                  found.group(1) == null ? values.get(given.size()) : named.get(found.group(1)));
              return "\\$" + given.size();
            });
    statement.execute("SET LOCAL plan_cache_mode = " + mode);
    if (sql.contains("[])")) { // a row in arrays, on a connection for commits
      given.replaceAll(value -> "'{" + value.replaceAll("^'|'$", "\"").replace("'", "") + "}'");
      statement.execute(PostgresDatabase.bounded(60) + PostgresDatabase.PLANNED_ONCE);
    }
    statement.execute("DEALLOCATE ALL");
    List<String> types = // as the driver declares them
        given.stream().map(value -> value.matches("\\d+") ? "bigint" : "unknown").toList();
    statement.execute("PREPARE hot " + list(types) + " AS " + numbered);
    try (ResultSet row =
        statement.executeQuery(
            "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE hot " + list(given))) {
      row.next();
      return Json.tree(row.getString(1)).get(0).get("Plan");
    }
  }

  private static String list(List<String> items) {
    return items.isEmpty() ? "" : "(" + String.join(", ", items) + ")";
  }

  private static void collect(JsonNode node, List<String> scanned) {
    String table = node.path("Relation Name").asText();
    if (node.path("Node Type").asText().equals("Seq Scan")
        && node.path("Shared Hit Blocks").asInt() + node.path("Shared Read Blocks").asInt()
            > EMPTY_PAGES
        && table.matches("(queue|message|event|recipient)_.*")) {
      scanned.add(table);
    }
    node.path("Plans").forEach(inner -> collect(inner, scanned));
  }
}
