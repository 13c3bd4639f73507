package io.caravan.mailproxy.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.endtoend.TestStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.util.PSQLException;

/** Mail lies by tenant on PostgreSQL, so that a distributed one can put tenants on machines. */
class PartitionsTest {
  private static final Path QUERIES = Path.of("src/main/resources/db/queries");

  /** A table of mail in a statement; aliases of rows that a statement made itself are none. */
  private static final Pattern TABLE =
      Pattern.compile("\\b(FROM|JOIN|UPDATE|INTO|USING) (message|queue|recipient|event)\\b");

  private static final Pattern TENANT = Pattern.compile("\\btenant_id = |\\(([^)]*, )?tenant_id,");

  /** What is not for one tenant: starts, the end of a node, and looks at what waits anywhere. */
  private static final Set<String> OF_ALL =
      Set.of(
          "count-crash",
          "count-pending",
          "count-unreported",
          "dead-nodes",
          "earliest-due",
          "end-dumps",
          "forget-account-events",
          "free-held",
          "free-leases",
          "given-up",
          "greatest-key",
          "hasten-lane",
          "held-window",
          "interrupted-deliveries",
          "lane-tenant",
          "leased-here",
          "lock-leases",
          "move-from-rules",
          "order-dump",
          "owners",
          "unreported-tenants");

  private static final String WITHOUT_TENANT =
      """
      SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
      WHERE c.relname ~ '^(message|queue|recipient|event)(_[0-9].*)?$' AND i.indisunique
        AND NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'
                        AND a.attnum = ANY (i.indkey))
      """;

  private static final String PARTS =
      """
      SELECT DISTINCT regexp_replace(c.relname, '[0-9]', 'n') || ' ' || count(*) || ' ' || count(p.reloptions)
      FROM pg_class c JOIN pg_inherits i ON i.inhparent = c.oid JOIN pg_class p ON p.oid = i.inhrelid
      WHERE c.relkind = 'p' GROUP BY c.relname ORDER BY 1
      """;

  /** Of 10,000 tenants, how many the fullest of four partitions has of a quarter, in percent. */
  private static final String FULLEST =
      """
      SELECT round(400.0 * max(tenants) / sum(tenants)) FROM (
        SELECT count(*) AS tenants FROM generate_series(1, 10000) i, generate_series(0, 3) part
        WHERE satisfies_hash_partition('queue'::regclass, 4, part, 'tenant-' || i) GROUP BY part) AS spread
      """;

  /** Columns of the tables of mail. */
  private static final String COLUMNS =
      """
      SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || coalesce(column_default, '')
      FROM information_schema.columns WHERE table_name IN ('message', 'queue', 'recipient', 'event') ORDER BY 1
      """;

  /** Stores a message, and then one with the same id. */
  private static final String IDS_TWICE =
      """
      WITH first AS (INSERT INTO message (pk, tenant_id, id, account_id, priority, created_at, payload)
        VALUES (1, 'acme', 'a', 'b', 2, 0, ''), (2, 'acme', 'a', 'b', 2, 0, '') ON CONFLICT DO NOTHING RETURNING 1)
      SELECT count(*) FROM first
      """;

  /** Messages of one tenant, a millisecond apart; of each few one waits. */
  private static final String WAITING =
      """
      INSERT INTO message (pk, tenant_id, id, account_id, priority, created_at, payload)
      SELECT i << 22, 'acme', i, 'a', 2, 0, '' FROM generate_series(%3$d::bigint, %4$d) i;
      INSERT INTO queue (tenant_id, pk, message_pk, account_pk, due_at, lease_epoch, accepted_at, bytes, priority, state)
      SELECT 'acme', i << 22, i << 22, 1, 0, 1, 0, 0, 2, 'due' FROM generate_series(%3$d::bigint, %4$d) i
      WHERE (i - %1$d) %% %2$d = 0
      """;

  /** The time of key 0, Unix milliseconds. */
  private static final long FIRST = 1_735_689_600_000L;

  private static final String SLICES = "SELECT pk || ' ' || detached FROM slice ORDER BY pk";

  /** In how many seconds slices start. */
  private static final String STARTS = "SELECT ((starts - now_ms()) / 1000)::text FROM slice";

  private static final String IN_SLICE =
      "SELECT count(*)::text FROM message WHERE tableoid::regclass::text LIKE '%\\_s1'";

  private static final String WAITING_LOCKS =
      "SELECT pid::text FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted";

  private static final String CITUS =
      """
      CREATE TABLE spread (note text);
      CREATE FUNCTION create_distributed_table(whole regclass, by text, colocate_with text DEFAULT 'default')
        RETURNS void LANGUAGE sql AS $$ INSERT INTO spread VALUES (whole || ' by ' || by || ' with ' || colocate_with) $$;
      CREATE FUNCTION create_reference_table(whole regclass)
        RETURNS void LANGUAGE sql AS $$ INSERT INTO spread VALUES (whole::text) $$
      """;

  @TempDir Path home;

  /** reliability-security A5, F47. */
  /** The second step of the tables' making stands still until this session lets it go on. */
  private static final String HALF_WAY =
      """
      SELECT pg_advisory_lock(47);
      CREATE SCHEMA test;
      CREATE FUNCTION test.half_way() RETURNS event_trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF to_regclass('flyway_schema_history') IS NOT NULL THEN
          IF EXISTS (SELECT 1 FROM flyway_schema_history) THEN
            PERFORM pg_advisory_xact_lock(47);
          END IF;
        END IF;
      END $$;
      CREATE EVENT TRIGGER half_way ON ddl_command_end EXECUTE FUNCTION test.half_way()
      """;

  private static final String STANDING =
      "SELECT pid::text FROM pg_locks WHERE locktype = 'advisory' AND objid = 47 AND NOT granted";

  private static final String STEPS =
      "SELECT installed_rank::text FROM flyway_schema_history ORDER BY installed_rank";

  @Test
  void nodes_that_start_at_once_make_the_tables_once_and_one_of_an_earlier_version_is_refused()
      throws Exception {
    String url = TestStore.postgres();
    ExecutorService nodes = Executors.newFixedThreadPool(3);
    try {
      Callable<Boolean> start =
          () -> {
            try (Database node = Database.of(home.toString(), url, InstantSource.system(), 60)) {
              return node.isShared();
            }
          };
      for (Future<Boolean> started : nodes.invokeAll(List.of(start, start, start))) {
        assertThat(started.get()).isTrue();
      }
    } finally {
      nodes.shutdown();
    }
    try (Connection connection = TestStore.connect(url);
        Statement statement = connection.createStatement()) {
      statement.execute(TestStore.LATER);
    }
    assertThatThrownBy(() -> Database.of(home.toString(), url, InstantSource.system(), 60))
        .hasMessageContaining("later version");
  }

  @Test
  void tables_that_were_half_made_when_the_node_ended_are_made_by_the_next_one() throws Exception {
    String url = TestStore.postgres();
    ExecutorService node = Executors.newSingleThreadExecutor();
    try (Connection connection = TestStore.connect(url);
        Statement statement = connection.createStatement()) {
      statement.execute(HALF_WAY);
      Future<Database> cut =
          node.submit(() -> Database.of(home.toString(), url, InstantSource.system(), 60));
      await().until(() -> !texts(connection, STANDING).isEmpty());
      assertThat(texts(connection, STEPS)).containsExactly("1");
      texts(connection, STANDING.replace("pid::text", "pg_terminate_backend(pid)::text"));
      assertThatThrownBy(cut::get).hasRootCauseInstanceOf(PSQLException.class);
      statement.execute("DROP EVENT TRIGGER half_way; SELECT pg_advisory_unlock(47)");

      try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60)) {
        assertThat(database.isShared()).isTrue();
        assertThat(texts(connection, STEPS)).startsWith("1").hasSizeGreaterThan(1);
      }
    } finally {
      node.shutdown();
    }
  }

  @Test
  void mail_lies_in_four_even_partitions_and_each_unique_key_has_the_tenant() throws Exception {
    String url = TestStore.postgres();
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection connection = TestStore.connect(url)) {
      assertThat(database.isShared()).isTrue();
      assertThat(texts(connection, PARTS))
          .containsExactly(
              "event 4 0",
              "event_n 1 1",
              "message 4 0",
              "message_n 1 1",
              "queue 4 4",
              "recipient 4 0",
              "recipient_n 1 1");
      assertThat(texts(connection, WITHOUT_TENANT)).isEmpty();
      assertThat(Integer.parseInt(texts(connection, FULLEST).get(0))).isBetween(100, 110);
    }
  }

  @Test
  void a_slice_goes_without_what_is_needed_of_it_and_stays_where_that_is_much() throws Exception {
    String url = TestStore.postgres();
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection connection = TestStore.connect(url);
        Statement statement = connection.createStatement()) {
      assertThat(database.isShared()).isTrue();
      statement.execute(slice(FIRST, FIRST + 100_000));
      statement.execute(slice(FIRST + 100_000, FIRST + 200_000));
      statement.execute(WAITING.formatted(0, 10, 0, 4999));
      statement.execute(WAITING.formatted(100_000, 1, 100_000, 105_000));
      for (int slice = 1; slice <= 2; slice++) {
        texts(connection, detach(slice));
        texts(connection, "SELECT drop_slice(" + slice + ")::text");
      }
      assertThat(texts(connection, SLICES)).containsExactly("2 false");
      assertThat(
              texts(
                  connection,
                  "SELECT regexp_replace(tableoid::regclass::text, '[0-9]', 'n') || ' ' || count(*) FROM message GROUP BY tableoid ORDER BY 1"))
          .containsExactly("message_n_kept 500", "message_n_s2 5001");
      assertThat(texts(connection, PARTS)).contains("message_n 2 2");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "UPDATE message SET payload = repeat(md5(pk::text), 500000) WHERE id::integer < 2",
        "INSERT INTO recipient (message_pk, delivery_pk, changed_at, position, tenant_id, address, state)"
            + " SELECT 0, 0, 0, i, 'acme', 'a@b', 'sent' FROM generate_series(0, 20000) i",
        "INSERT INTO event (pk, message_pk, at, tenant_id, type, data)"
            + " SELECT i, 0, 0, 'acme', 'sent', '{}' FROM generate_series(0, 20000) i"
      })
  void a_slice_stays_where_few_messages_are_needed_that_are_much(String much) throws Exception {
    String url = TestStore.postgres();
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection connection = TestStore.connect(url);
        Statement statement = connection.createStatement()) {
      assertThat(database.isShared()).isTrue();
      statement.execute(slice(FIRST, FIRST + 100_000));
      statement.execute(WAITING.formatted(0, 1, 0, 1));
      statement.execute(much);
      assertThat(texts(connection, detach(1))).containsExactly((String) null);
      assertThat(texts(connection, SLICES)).containsExactly("1 false");
      assertThat(texts(connection, IN_SLICE)).as("nothing moved").containsExactly("2");
    }
  }

  @Test
  void what_is_over_goes_row_by_row_where_a_slice_ends_too_late() throws Exception {
    String url = TestStore.postgres();
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection connection = TestStore.connect(url);
        Statement statement = connection.createStatement()) {
      statement.execute("INSERT INTO tenant (id, created_at, updated_at) VALUES ('acme', 0, 0)");
      statement.execute(slice(FIRST, FIRST + 100_000));
      statement.execute(slice(FIRST + 100_000, FIRST + 200_000));
      String until =
          "SELECT until::text FROM (%s) AS kept"
              .formatted(database.sql().load("kept-tenants").replace(":?common", "0"));
      String today = until.replace(":?width", "100000");
      long day = 86_400_000;
      assertThat(texts(connection, today.replace(":?before", "" + (FIRST + day))))
          .as("what is in the first slice goes with it")
          .containsExactly("" + FIRST);
      assertThat(texts(connection, today.replace(":?before", "" + (FIRST + 100_000 + day))))
          .as("the first slice should have ended a day ago")
          .containsExactly("" + (FIRST + 100_000));
      assertThat(texts(connection, today.replace(":?before", "" + (FIRST + 200_000 + day))))
          .containsExactly("" + (FIRST + 200_000 + day));
      String shorter = until.replace(":?width", "50000");
      assertThat(texts(connection, shorter.replace(":?before", "" + (FIRST + 1))))
          .as("mail was kept for longer when the slices were made")
          .containsExactly("" + (FIRST + 1));
    }
  }

  @Test
  void a_slice_stays_as_it_is_where_somebody_holds_the_tables_and_goes_later() throws Exception {
    String url = TestStore.postgres();
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection connection = TestStore.connect(url);
        Connection other = TestStore.connect(url);
        Statement statement = connection.createStatement();
        Statement holding = other.createStatement()) {
      assertThat(database.isShared()).isTrue();
      statement.execute(slice(FIRST, FIRST + 100_000));
      statement.execute(WAITING.formatted(0, 10, 0, 99));
      other.setAutoCommit(false);
      holding.execute("LOCK TABLE event_3_kept IN ROW EXCLUSIVE MODE");
      assertThatThrownBy(() -> texts(connection, detach(1))).hasMessageContaining("lock timeout");
      assertThatThrownBy(() -> statement.execute(slice(FIRST + 100_000, FIRST + 200_000)))
          .hasMessageContaining("lock timeout");
      assertThat(texts(connection, SLICES)).containsExactly("1 false");
      assertThat(texts(connection, "SELECT count(*)::text FROM message")).containsExactly("100");

      other.rollback();
      assertThat(texts(connection, detach(1))).containsExactly("10");
    }
  }

  /** A late result is told of a message that was over when the slice was looked at. */
  @Test
  void news_that_come_while_a_slice_waits_for_its_end_are_kept() throws Exception {
    String url = TestStore.postgres();
    ExecutorService upkeep = Executors.newSingleThreadExecutor();
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection connection = TestStore.connect(url);
        Connection other = TestStore.connect(url);
        Statement statement = connection.createStatement();
        Statement late = other.createStatement()) {
      assertThat(database.isShared()).isTrue();
      statement.execute(slice(FIRST, FIRST + 100_000));
      statement.execute(WAITING.formatted(0, 1, 0, 9));
      statement.execute("DELETE FROM queue");
      other.setAutoCommit(false);
      late.execute(
          "INSERT INTO event (pk, message_pk, at, tenant_id, type, data)"
              + " VALUES (key_at(now_ms()), 5 << 22, 0, 'acme', 'late', '{}')");
      Future<List<String>> kept = upkeep.submit(() -> texts(connection, detach(1)));
      await().until(() -> !texts(other, WAITING_LOCKS).isEmpty());
      other.commit();
      assertThat(kept.get()).containsExactly("1");
      assertThat(texts(connection, "SELECT id FROM message")).containsExactly("5");
      assertThat(texts(connection, "SELECT type FROM event")).containsExactly("late");
    } finally {
      upkeep.shutdown();
    }
  }

  /** What was stored while a slice waits for its end would not be seen otherwise. */
  @Test
  void each_session_sees_what_others_have_committed() throws Exception {
    String url = TestStore.postgres();
    try (Connection connection = TestStore.connect(url);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = %L',"
              + " current_database(), 'repeatable read'); END $$");
    }
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection writer = database.writer().getConnection();
        Connection upkeep = database.upkeep().getConnection()) {
      for (Connection connection : List.of(writer, upkeep)) {
        assertThat(texts(connection, "SHOW transaction_isolation"))
            .containsExactly("read committed");
      }
    }
  }

  @Test
  void no_slice_is_made_where_much_is_kept_or_many_stay() throws Exception {
    String url = TestStore.postgres();
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection connection = TestStore.connect(url);
        Statement statement = connection.createStatement()) {
      assertThat(database.isShared()).isTrue();
      statement.execute(WAITING.formatted(0, 1, 0, 99));
      assertThat(texts(connection, "SELECT add_next_slice(3600000, 8191)"))
          .containsExactly("too much mail is in none");
      assertThat(texts(connection, SLICES)).isEmpty();
      assertThat(texts(connection, add(3_600_000))).containsExactly((String) null);
      assertThat(texts(connection, STARTS))
          .allSatisfy(starts -> assertThat(Integer.parseInt(starts)).isBetween(50, 60));
      assertThat(texts(connection, add(3_600_000))).containsExactly((String) null);
      assertThat(texts(connection, SLICES)).as("it is enough").containsExactly("1 false");
      for (long slice = 2; slice <= 12; slice++) {
        statement.execute(slice(FIRST + slice * 1000, FIRST + slice * 1000 + 1000));
      }
      assertThat(texts(connection, add(7_200_000))).containsExactly("too many of old mail stay");
      assertThat(texts(connection, SLICES)).hasSize(12);
    }
  }

  /** Keys stay ahead when a clock was ahead: see queue.Ids. */
  @Test
  void time_that_has_mail_already_is_left_out_and_slices_are_made_after_it() throws Exception {
    String url = TestStore.postgres();
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection connection = TestStore.connect(url);
        Statement statement = connection.createStatement()) {
      assertThat(database.isShared()).isTrue();
      long ahead = System.currentTimeMillis() - FIRST + 3_600_000;
      statement.execute(WAITING.formatted(0, 1, ahead, ahead + 9));
      long far = ahead + 365L * 86_400_000;
      statement.execute(WAITING.formatted(0, 1, far, far));
      texts(connection, add(3_600_000));
      assertThat(texts(connection, STARTS))
          .allSatisfy(starts -> assertThat(Integer.parseInt(starts)).isBetween(3650, 3660));
      texts(connection, add(3_600_000));
      assertThat(texts(connection, SLICES)).as("enough for now").containsExactly("1 false");
      texts(connection, add(7_300_000));
      assertThat(texts(connection, SLICES)).containsExactly("1 false", "2 false");
    }
  }

  /**
   * The files for clusters, on a plain server: functions of Citus that only take notes, and without
   * the word by which YugabyteDB spreads rows. What the clusters do with it is not shown here.
   */
  @ParameterizedTest
  @ValueSource(strings = {"citus", "yugabyte"})
  void tables_for_a_cluster_have_all_rows_and_the_tenant_in_each_unique_key(String cluster)
      throws Exception {
    String url = TestStore.postgres();
    String script = Files.readString(Path.of("docker/postgresql/" + cluster + ".sql"));
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection connection = TestStore.connect(url);
        Statement statement = connection.createStatement()) {
      statement.execute(CITUS);
      statement.execute(
          "INSERT INTO queue (tenant_id, pk, message_pk, account_pk, due_at, lease_epoch, accepted_at, bytes, priority, state)"
              + " VALUES ('acme', 1, 1, 1, 0, 1, 1, 1, 2, 'due'), ('other', 2, 2, 2, 0, 1, 1, 1, 2, 'due')");
      texts(connection, add(3_600_000));
      List<String> before = texts(connection, COLUMNS);

      statement.execute(script.replaceAll(" (HASH|ASC)\\b", ""));

      assertThat(texts(connection, WITHOUT_TENANT)).isEmpty();
      assertThat(texts(connection, COLUMNS)).isEqualTo(before);
      assertThat(texts(connection, PARTS)).isEmpty();
      assertThat(texts(connection, IDS_TWICE)).containsExactly("1");
      assertThat(texts(connection, add(3_600_000))).containsExactly((String) null);
      assertThat(texts(connection, SLICES)).isEmpty();
      assertThat(texts(connection, "SELECT tenant_id FROM queue ORDER BY pk"))
          .containsExactly("acme", "other");
      assertThat(texts(connection, database.sql().load("earliest-due"))).containsExactly("1", "2");
      if (cluster.equals("citus")) {
        assertThat(texts(connection, "SELECT note FROM spread ORDER BY note"))
            .containsExactly(
                "event by tenant_id with queue",
                "message by tenant_id with queue",
                "node",
                "queue by tenant_id with default",
                "recipient by tenant_id with queue");
      }
    }
  }

  @Test
  void each_table_of_mail_in_a_statement_is_asked_by_tenant() throws IOException {
    List<String> wrong = new ArrayList<>();
    Sql sql = new Sql("postgresql");
    for (String name : names()) {
      String text = sql.load(name).replaceAll("(?m)^--.*", "");
      long tables = TABLE.matcher(text).results().count();
      long asked = TENANT.matcher(text).results().count();
      if (asked < tables && !OF_ALL.contains(name)) {
        wrong.add("%s: %d tables, %d tenants".formatted(name, tables, asked));
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(names()).containsAll(OF_ALL);
  }

  /** Of all statements that PostgreSQL has. */
  private static List<String> names() throws IOException {
    List<String> names = new ArrayList<>();
    for (String room : List.of("common", "postgresql")) {
      try (Stream<Path> files = Files.list(QUERIES.resolve(room))) {
        files.forEach(file -> names.add(file.getFileName().toString().replace(".sql", "")));
      }
    }
    return names;
  }

  private static String slice(long starts, long ends) {
    return "SELECT add_slice(%d, %d)".formatted(starts, ends);
  }

  private static String add(int width) {
    return "SELECT add_next_slice(%d, 268435456)".formatted(width);
  }

  private static String detach(int slice) {
    return "SELECT detach_slice(%d, 9000000000000, 1)::text".formatted(slice);
  }

  private static List<String> texts(Connection connection, String query) throws SQLException {
    List<String> texts = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        texts.add(rows.getString(1));
      }
    }
    return texts;
  }
}
