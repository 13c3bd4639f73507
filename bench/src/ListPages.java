import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.caravan.mailproxy.endtoend.ProxyProcess;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;

/** bench/list; see bench/README.md. */
public final class ListPages {
  private static final int WARM_UP = 30;
  private static final int PAGES = 60;
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  /** The epoch of keys, Unix milliseconds (queue.Ids). */
  private static final long EPOCH = 1_735_689_600_000L;

  /** Between two messages. */
  private static final long STEP_MILLIS = 2_000;

  private ListPages() {}

  public static void main(String[] args) throws Exception {
    if (args.length > 1) {
      System.err.println("bench/list [MESSAGES]");
      System.exit(2);
    }
    int messages = args.length == 0 ? 1_000_000 : Integer.parseInt(args[0]);
    Path home =
        Files.createTempDirectory(Files.createDirectories(Path.of("target/bench")), "list-")
            .toAbsolutePath();
    Files.createDirectories(home.resolve("routes.d"));
    for (String shipped : List.of("config", "routes")) {
      Files.createSymbolicLink(home.resolve(shipped), Path.of(shipped).toAbsolutePath());
    }
    try (ProxyProcess proxy = start(home)) {
      proxy.post("/tenant", "{\"id\":\"bench\"}");
      for (String id : List.of("common", "rare")) {
        proxy.post(
            "/account",
            "{\"id\":\"" + id + "\",\"tenant_id\":\"bench\",\"type\":\"sandbox\"}");
      }
      proxy.stop();
    }
    long first = System.currentTimeMillis() - messages * STEP_MILLIS;
    long begun = System.nanoTime();
    fill(home, messages, first);
    System.out.printf(
        "%d messages filled in %.0f s, database of %d MB%n",
        messages,
        (System.nanoTime() - begun) / 1e9,
        Files.size(ProxyProcess.database(home)) / 1_000_000);
    try (ProxyProcess proxy = start(home)) {
      measure(proxy, messages, first / 1000);
    } finally {
      Files.deleteIfExists(ProxyProcess.database(home));
    }
  }

  private static ProxyProcess start(Path home) throws Exception {
    return ProxyProcess.start(
        home,
        Path.of("target/mail-proxy.jar").toAbsolutePath().toString(),
        List.of("-Xmx1g", "-XX:+UseParallelGC"));
  }

  /**
   * One in ten has priority 1, one in a thousand failed, one in a thousand waits, one in ten
   * thousand is of account rare; batches of a thousand.
   */
  private static void fill(Path home, int messages, long first) throws SQLException {
    String n =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + messages + ") ";
    String at = "(" + first + " + i * " + STEP_MILLIS + ")";
    String key = "(((" + at + " - " + EPOCH + ") << 12) * 1024)";
    String priority = "CASE WHEN i % 10 = 0 THEN 1 ELSE 2 END";
    try (Connection store =
            DriverManager.getConnection("jdbc:sqlite:" + ProxyProcess.database(home));
        var statement = store.createStatement()) {
      store.setAutoCommit(false);
      statement.executeUpdate(
          "INSERT INTO message (pk, tenant_id, id, account_id, priority, batch_code, created_at, payload, failed) "
              + n
              + "SELECT "
              + key
              + ", 'bench', 'm-' || i, CASE WHEN i % 10000 = 5000 THEN 'rare' ELSE 'common' END, "
              + priority
              + ", 'b-' || (i / 1000), "
              + at
              + ", '{\"id\":\"m-' || i || '\",\"body\":\""
              + "x".repeat(1_500)
              + "\"}', i % 1000 = 7 FROM n");
      statement.executeUpdate(
          "INSERT INTO recipient (message_pk, position, delivery_pk, address, state, code, reply, changed_at) "
              + n
              + "SELECT "
              + key
              + ", 0, "
              + key
              + ", 'reader-' || i || '@example.test', CASE i % 1000 WHEN 7 THEN 'failed' WHEN 8 THEN 'pending' ELSE 'sent' END, 250, '250 2.0.0 Ok: queued', "
              + at
              + " FROM n");
      statement.executeUpdate(
          "INSERT INTO event (pk, message_pk, tenant_id, type, at, text, data, reported_at) "
              + n
              + "SELECT "
              + key
              + " + 1024, "
              + key
              + ", 'bench', CASE WHEN i % 1000 = 7 THEN 'error' ELSE 'sent' END, "
              + at
              + ", NULL, '{\"account_id\":\"common\",\"attempt\":1}', "
              + at
              + " FROM n WHERE i % 1000 <> 8");
      statement.executeUpdate(
          "INSERT INTO queue (pk, message_pk, account_pk, state, priority, due_at, lease_epoch, accepted_at, bytes) "
              + n
              + "SELECT "
              + key
              + ", "
              + key
              + ", 1, 'due', "
              + priority
              + ", 4102444800000, 1, unixepoch() * 1000, 1600 FROM n WHERE i % 1000 = 8");
      store.commit();
    }
  }

  private static void measure(ProxyProcess proxy, int messages, long first) throws Exception {
    long middle = first + messages * STEP_MILLIS / 2000;
    System.out.printf(
        "%-44s %8s %8s %8s %8s %8s%n", "pages", "p50 ms", "p99 ms", "worst ms", "a page", "empty");
    for (String query :
        List.of(
            "limit=100",
            "limit=1000",
            "limit=100&include_history=true",
            "limit=100&account_id=common",
            "limit=100&account_id=rare",
            "limit=100&batch_code=b-" + messages / 2000,
            "limit=100&status=sent",
            "limit=100&status=error",
            "limit=100&status=deferred",
            "limit=100&status=pending",
            "limit=100&status=held",
            "limit=100&active_only=true",
            "limit=100&since_ts=" + middle,
            "limit=100&since_ts=" + middle + "&until_ts=" + (middle + 3600),
            "limit=100&until_ts=" + (first + 3600),
            "limit=100&recipient=reader-" + messages / 2 + "@example.test",
            "limit=100&recipient=reader-" + messages / 2 + "@example.test&batch_code=b-"
                + messages / 2000,
            "limit=100&recipient=reader-" + messages / 2 + "@example.test&since_ts="
                + (middle - 3600) + "&until_ts=" + (middle + 3600))) {
      pages(proxy, query);
    }
  }

  /** Page after page, from the start again where there is no more. */
  private static void pages(ProxyProcess proxy, String query) throws Exception {
    double[] millis = new double[PAGES];
    long found = 0;
    int empty = 0;
    String cursor = "";
    for (int i = -WARM_UP; i < PAGES; i++) {
      HttpRequest request =
          HttpRequest.newBuilder(
                  URI.create(
                      "http://127.0.0.1:" + proxy.port() + "/messages?tenant_id=bench&" + query
                          + cursor))
              .header("X-API-Token", ProxyProcess.TOKEN)
              .build();
      long begun = System.nanoTime();
      HttpResponse<byte[]> answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofByteArray());
      double took = (System.nanoTime() - begun) / 1e6;
      if (answer.statusCode() != 200) {
        throw new IllegalStateException(new String(answer.body()));
      }
      JsonNode page = MAPPER.readTree(answer.body());
      cursor =
          page.has("next_cursor") ? "&cursor=" + page.path("next_cursor").textValue() : "";
      if (i >= 0) {
        millis[i] = took;
        found += page.path("messages").size();
        empty += page.path("messages").isEmpty() ? 1 : 0;
      }
    }
    Arrays.sort(millis);
    System.out.printf(
        "%-44s %8.1f %8.1f %8.1f %8.1f %8d%n",
        query.length() > 44 ? query.substring(0, 44) : query,
        millis[PAGES / 2],
        millis[PAGES * 99 / 100],
        millis[PAGES - 1],
        (double) found / PAGES,
        empty);
  }
}
