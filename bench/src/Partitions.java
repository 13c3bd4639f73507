import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.endtoend.TestStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What it costs PostgreSQL that mail lies in partitions by tenant, as processor time of the server's
 * process, beside a table that has none; how evenly tenants lie in partitions; and what it costs to
 * end old mail, row by row and with its slice of time.
 */
final class Partitions {
  private static final Pattern VALUE = Pattern.compile(":\\?(\\w+)|\\?");
  private static final int TENANTS = 20;
  private static final int ROWS = 100_000;
  private static final int CLAIM = 20;
  private static final int WARM = 30;

  /** Unix milliseconds, when the first old mail was made. */
  private static final long START = 1_750_000_000_000L;

  /** Share of the fullest part, and of the biggest tenant, in percent: all alike, and the n-th with 1/n of the first. */
  private static final String SPREAD =
      """
      SELECT min(tenants), max(tenants), round(100.0 * max(tenants) / sum(tenants), 2),
             round((100 * max(volume) / sum(volume))::numeric, 2),
             (SELECT round((100 / sum(1.0 / i))::numeric, 2) FROM generate_series(1, %1$d) i)
      FROM (SELECT part, count(*) AS tenants, sum(1.0 / i) AS volume
            FROM generate_series(1, %1$d) i, generate_series(0, %2$d - 1) part
            WHERE satisfies_hash_partition('queue'::regclass, %2$d, part, 'tenant-' || i) GROUP BY part) AS spread
      """;

  private static final String FILL =
      """
      INSERT INTO node (name, slot, started_at, until_at) VALUES ('n', 0, 0, 9000000000000);
      INSERT INTO queue (tenant_id, pk, message_pk, account_pk, due_at, lease_owner, lease_epoch, accepted_at, bytes,
                         priority, state)
      SELECT 't' || i % 20, i * 65536, i * 65536, i % 20 + 1, i, CASE WHEN i / 20 % 2 = 0 THEN 1 END, 1, now_ms(), 200000,
             i / 20 % 4, CASE WHEN i / 20 % 2 = 0 THEN 'leased' ELSE 'due' END
      FROM generate_series(1::bigint, 100000) i;
      CREATE TABLE flat (LIKE queue INCLUDING ALL) WITH (fillfactor = 50);
      INSERT INTO flat SELECT * FROM queue;
      ANALYZE flat, queue
      """;

  /** Mail of one slice, all of it told; every thousandth message still waits. */
  private static final String OLD_MAIL =
      """
      SELECT add_slice(%1$d, %1$d + 100000);
      INSERT INTO message (pk, tenant_id, id, account_id, priority, created_at, payload)
      SELECT key_at(%1$d + i), 't' || i %% 20, 'old' || i, 'a', 2, %1$d + i,
             (SELECT string_agg(md5((i * 64 + j)::text), '') FROM generate_series(1, 64) j)
      FROM generate_series(0::bigint, 99999) i;
      INSERT INTO recipient (tenant_id, message_pk, delivery_pk, changed_at, position, address, state)
      SELECT tenant_id, pk, pk, created_at, 0, id || '@example.org', 'sent' FROM message;
      INSERT INTO event (pk, message_pk, at, reported_at, tenant_id, type, data)
      SELECT pk + 65536 * j, pk, created_at, created_at, tenant_id, CASE j WHEN 1 THEN 'sent' ELSE 'deferred' END, '{"attempt":1}'
      FROM message, generate_series(1, 2) j;
      DELETE FROM queue;
      INSERT INTO queue (tenant_id, pk, message_pk, account_pk, due_at, lease_epoch, accepted_at, bytes, priority, state)
      SELECT tenant_id, pk, pk, 1, 0, 1, 0, 2000, 2, 'due' FROM message WHERE pk / 4194304 %% 1000 = 0;
      ANALYZE message, recipient, event
      """;

  /** What came in while nothing was to be deleted. */
  private static final String KEPT =
      """
      INSERT INTO message (pk, tenant_id, id, account_id, priority, created_at, payload)
      SELECT key_at(%d + i), 't' || i %% 20, 'kept' || i, 'a', 2, 0,
             (SELECT string_agg(md5((i * 64 + j)::text), '') FROM generate_series(1, 48) j)
      FROM generate_series(0::bigint, 149999) i
      """;

  private static final String OLD_KEYS =
      """
      SELECT tenant_id, json_agg(pk)::text FROM (
        SELECT tenant_id, pk, row_number() OVER (PARTITION BY tenant_id ORDER BY pk) / 200 AS piece FROM message m
        WHERE NOT EXISTS (SELECT 1 FROM queue q WHERE q.pk = m.pk)) AS pieces
      GROUP BY tenant_id, piece
      """;

  public static void main(String[] args) throws Exception {
    String url = TestStore.postgres();
    Path home = Files.createTempDirectory("partitions");
    try (Database database = Database.of(home.toString(), url, InstantSource.system(), 60);
        Connection connection = TestStore.connect(url);
        Statement statement = connection.createStatement()) {
      for (int tenants : new int[] {1_000, 10_000, 100_000}) {
        for (int parts : new int[] {4, 128}) {
          spread(statement, tenants, parts);
        }
      }
      statement.execute(FILL);
      statement.execute("VACUUM flat, queue");
      String change = "UPDATE queue SET in_data = 1 WHERE tenant_id = ? AND pk = ? AND lease_owner = ? AND lease_epoch = ?";
      String changes = database.sql().load("enter-data").replaceAll("(?m)^--.*", "");
      String claim = database.sql().load("claim-due").replaceAll("(?m)^--.*", "");
      for (int round = 1; round <= 2; round++) {
        for (String table : List.of("flat", "queue")) {
          for (String mode : List.of("auto", "force_generic_plan", "force_custom_plan")) {
            measure(url, table + ", " + mode + ", a change by key", mode, of(table, change), 20_000);
            inArrays(url, table + ", " + mode + ", a change by key in arrays of 200", mode, of(table, changes));
            measure(url, table + ", " + mode + ", a claim of " + CLAIM, mode, of(table, claim), 300);
          }
        }
      }
      for (int round = 1; round <= 2; round++) {
        rowByRow(database, connection, round);
        withItsSlice(url, connection, round);
        makeBesideKept(url, connection, round);
      }
    }
    System.exit(0);
  }

  /** As it is done for what a tenant orders. */
  private static void rowByRow(Database database, Connection connection, int round) throws Exception {
    try (Statement statement = connection.createStatement();
        Statement rows = connection.createStatement()) {
      statement.execute(OLD_MAIL.formatted(START + round * 1_000_000L));
      statement.execute("CHECKPOINT");
      Spent spent = new Spent(statement);
      connection.setAutoCommit(false);
      List<String[]> pieces = new ArrayList<>();
      try (ResultSet keys = rows.executeQuery(OLD_KEYS)) {
        while (keys.next()) {
          pieces.add(new String[] {keys.getString(1), keys.getString(2)});
        }
      }
      for (String[] piece : pieces) {
        for (String what : List.of("deliveries", "recipients", "events", "messages")) {
          String sql = database.sql().load("remove-" + what);
          boolean keysFirst = sql.indexOf("tenant_id = ?") > sql.indexOf("CAST(? AS json)");
          try (PreparedStatement remove = connection.prepareStatement(sql)) {
            remove.setString(keysFirst ? 1 : 2, piece[1]);
            remove.setString(keysFirst ? 2 : 1, piece[0]);
            remove.execute();
          }
        }
        connection.commit();
      }
      connection.setAutoCommit(true);
      statement.execute("VACUUM message, recipient, event");
      spent.tell("100,000 old messages, row by row and vacuumed");
      statement.execute("TRUNCATE message, recipient, event, queue");
    }
  }

  private static void withItsSlice(String url, Connection connection, int round) throws Exception {
    try (Statement statement = connection.createStatement()) {
      statement.execute(OLD_MAIL.formatted(START + round * 1_000_000L + 500_000));
      statement.execute("CHECKPOINT");
      Spent spent = new Spent(statement);
      Waiting others = new Waiting(url);
      others.start();
      String slice = "(SELECT max(pk) FROM slice)";
      String kept;
      try (ResultSet row = statement.executeQuery("SELECT detach_slice(" + slice + ", 9000000000000, 1)")) {
        row.next();
        kept = row.getString(1);
      }
      statement.execute("SELECT drop_slice(" + slice + ")");
      spent.tell("100,000 old messages, with their slice; " + kept + " kept");
      System.out.printf("  a change beside it waits %.1f ms at the most%n", others.longest());
      statement.execute("TRUNCATE message, recipient, event, queue");
    }
  }

  private static void makeBesideKept(String url, Connection connection, int round) throws Exception {
    try (Statement statement = connection.createStatement()) {
      long start = START + 10_000_000L + round * 1_000_000L;
      statement.execute(KEPT.formatted(start));
      statement.execute("CHECKPOINT");
      String bytes;
      try (ResultSet row =
          statement.executeQuery(
              "SELECT pg_size_pretty(sum(pg_relation_size(('message_' || part || '_kept')::regclass))) FROM generate_series(0, 3) AS part")) {
        row.next();
        bytes = row.getString(1);
      }
      Waiting others = new Waiting(url);
      others.start();
      long begun = System.nanoTime();
      statement.execute("SELECT add_slice(%1$d, %1$d + 100000)".formatted(start + 500_000));
      System.out.printf(
          "a slice made beside %s without one: %.1f s, a change beside it waits %.1f ms at the most%n",
          bytes, (System.nanoTime() - begun) / 1e9, others.longest());
      statement.execute("TRUNCATE message");
    }
  }

  /** What a connection's process has used, and what was written ahead, since. */
  private static final class Spent {
    private final Statement statement;
    private final long processor;
    private final long log;
    private final long begun = System.nanoTime();

    Spent(Statement statement) throws Exception {
      this.statement = statement;
      this.processor = processor(statement);
      this.log = log();
    }

    private long log() throws SQLException {
      try (ResultSet row = statement.executeQuery("SELECT pg_current_wal_insert_lsn() - '0/0'")) {
        row.next();
        return row.getBigDecimal(1).longValueExact();
      }
    }

    void tell(String what) throws Exception {
      System.out.printf(
          "%s: %.1f s, processor %.1f µs and log %.0f bytes a message%n",
          what, (System.nanoTime() - begun) / 1e9, (processor(statement) - processor) / 100.0, (log() - log) / 1e5);
    }
  }

  /** Changes a row again and again. */
  private static final class Waiting extends Thread {
    private final Connection connection;
    private volatile boolean ends;
    private double longest;

    Waiting(String url) throws SQLException {
      connection = TestStore.connect(url);
    }

    @Override
    public void run() {
      try (connection;
          PreparedStatement change =
              connection.prepareStatement("UPDATE recipient SET changed_at = 1 WHERE tenant_id = 't1' AND message_pk = 1")) {
        while (!ends) {
          long begun = System.nanoTime();
          change.execute();
          longest = Math.max(longest, (System.nanoTime() - begun) / 1e6);
        }
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }

    double longest() throws InterruptedException {
      ends = true;
      join();
      return longest;
    }
  }

  private static void spread(Statement statement, int tenants, int parts) throws SQLException {
    try (ResultSet row = statement.executeQuery(SPREAD.formatted(tenants, parts))) {
      row.next();
      System.out.printf(
          "%,d tenants in %d parts: %d to %d in one; fullest part %s %% of the mail, if tenants are alike;"
              + " %s %% if the n-th has 1/n of the first, who has %s %%%n",
          tenants, parts, row.getInt(1), row.getInt(2), row.getString(3), row.getString(4), row.getString(5));
    }
  }

  /** On the table without partitions, nobody asks for the tenant. */
  private static String of(String table, String sql) {
    return table.equals("queue")
        ? sql
        : sql.replaceAll("(\\w+\\.)?tenant_id = (:\\?tenant|\\?|asked.tenant_id) AND ", "")
            .replaceAll("(FROM|UPDATE) queue", "$1 " + table)
            .replace("queue.", table + ".");
  }

  private static void measure(String url, String what, String mode, String sql, int times) throws Exception {
    List<String> names = new ArrayList<>();
    Matcher value = VALUE.matcher(sql);
    while (value.find()) {
      names.add(value.group(1) == null ? "" : value.group(1));
    }
    List<String> places = sql.contains("tenant_id = ?") ? List.of("tenant", "pk", "node", "epoch") : List.of("pk", "node", "epoch");
    try (Connection connection = TestStore.connect(url);
        Statement settings = connection.createStatement();
        PreparedStatement statement = connection.prepareStatement(VALUE.matcher(sql).replaceAll("?"))) {
      settings.execute("SET plan_cache_mode = " + mode);
      connection.setAutoCommit(false);
      long before = 0;
      for (int i = 0; i < WARM + times; i++) {
        if (i == WARM) {
          before = processor(settings);
        }
        long row = i * 20L * 2 % ROWS + i % TENANTS + 20 * 20;
        Map<String, Object> values =
            Map.of("tenant", "t" + row % TENANTS, "account", row % TENANTS + 1, "rule", 0L, "room", CLAIM, "node", 1L,
                "inline", 0, "pk", row * 65536, "epoch", 1L);
        for (int place = 0; place < names.size(); place++) {
          statement.setObject(place + 1, values.get(names.get(place).isEmpty() ? places.get(place) : names.get(place)));
        }
        statement.execute();
        if (i % 100 == 0 || sql.contains("RETURNING")) {
          connection.rollback();
        }
      }
      System.out.printf("%s: %.1f µs%n", what, (processor(settings) - before) * 1000.0 / times);
    }
  }

  private static void inArrays(String url, String what, String mode, String sql) throws Exception {
    int many = 200;
    try (Connection connection = TestStore.connect(url);
        Statement settings = connection.createStatement();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      settings.execute("SET plan_cache_mode = " + mode);
      settings.execute("SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off");
      connection.setAutoCommit(false);
      String[] tenants = new String[many];
      Long[] keys = new Long[many];
      Long[] ones = new Long[many];
      long before = 0;
      int times = 200;
      for (int i = 0; i < 20 + times; i++) {
        if (i == 20) {
          before = processor(settings);
        }
        for (int j = 0; j < many; j++) {
          long row = (i * 200L + j) * 40 % ROWS + j % TENANTS + 20 * 20;
          tenants[j] = "t" + row % TENANTS;
          keys[j] = row * 65536;
          ones[j] = 1L;
        }
        statement.setArray(1, connection.createArrayOf("text", tenants));
        statement.setArray(2, connection.createArrayOf("bigint", keys));
        statement.setArray(3, connection.createArrayOf("bigint", ones));
        statement.setArray(4, connection.createArrayOf("bigint", ones));
        statement.execute();
        connection.rollback();
      }
      System.out.printf("%s: %.1f µs%n", what, (processor(settings) - before) * 1000.0 / times / many);
    }
  }

  /** Processor time of the server's process of this connection, milliseconds. */
  private static long processor(Statement statement) throws Exception {
    try (ResultSet row = statement.executeQuery("SELECT pg_backend_pid()")) {
      row.next();
      String stat = Files.readString(Path.of("/proc/" + row.getInt(1) + "/stat"));
      String[] fields = stat.replaceFirst(".*\\) ", "").split(" ");
      return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * 10;
    }
  }
}
