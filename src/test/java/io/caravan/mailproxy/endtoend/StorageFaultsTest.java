package io.caravan.mailproxy.endtoend;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.caravan.mailproxy.db.Database;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The store is away, silent, slow or full: who asks is told, no mail is lost, none goes twice. */
class StorageFaultsTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final int CONNECTIONS = 3;

  /** From now on the server says of each row that is written that its disk is full. */
  private static final String FULL =
      """
      CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
      END $$;
      CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON message FOR EACH ROW EXECUTE FUNCTION full_disk();
      CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON queue FOR EACH ROW EXECUTE FUNCTION full_disk();
      CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON event FOR EACH ROW EXECUTE FUNCTION full_disk();
      CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON recipient FOR EACH ROW EXECUTE FUNCTION full_disk();
      CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON probe FOR EACH ROW EXECUTE FUNCTION full_disk()
      """;

  private static final String ROOM = "DROP FUNCTION full_disk CASCADE";

  @TempDir Path home;

  @Test
  @Timeout(value = 240, unit = TimeUnit.SECONDS)
  void a_database_that_is_away_or_silent_or_full_or_slow_is_survived() throws Exception {
    String database = TestStore.postgres();
    int port = URI.create(database).getPort();
    List<String> mails = Collections.synchronizedList(new ArrayList<>());
    Relay relay = new Relay(mails);
    try (FaultProxy network = new FaultProxy(port);
        SmtpSink sink = new SmtpSink(relay)) {
      TestStore.shareAt(database.replace(":" + port + "/", ":" + network.port() + "/"), home);
      try (TestProxy proxy = TestProxy.start(home, "lease.seconds", "120", "retry.delays", "1")) {
        proxy.post("/tenant", Map.of("id", "acme"));
        proxy.relayAccount("acme", "main", sink.port(), "max_connections", CONNECTIONS);

        outage(proxy, relay, "away", "503 store_unavailable", network::down, network::up);
        outage(proxy, relay, "silent", "503 store_unavailable", network::partition, network::heal);
        outage(
            proxy,
            relay,
            "full",
            "507 storage_full",
            () -> change(database, FULL),
            () -> change(database, ROOM));

        held(proxy);

        // slow: each is told yes or to come again, and soon
        network.latency(700);
        List<CompletableFuture<HttpResponse<String>>> answers =
            IntStream.range(0, 20)
                .mapToObj(i -> CompletableFuture.supplyAsync(() -> add(proxy, "slow-" + i)))
                .toList();
        List<String> taken = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
          HttpResponse<String> answer = answers.get(i).get(60, TimeUnit.SECONDS);
          if (answer.statusCode() == 200) {
            taken.add("slow-" + i);
          } else {
            assertUnavailable(answer);
          }
        }
        network.latency(0);
        await().atMost(SOON).until(() -> ready(proxy) == 200);
        await().atMost(SOON).until(() -> mails.containsAll(taken));
        await().atMost(SOON).until(() -> number(database, "SELECT count(*) FROM queue") == 0);
      }
    } finally {
      TestStore.forget(home);
    }
    assertThat(mails).doesNotHaveDuplicates();
    assertThat(number(database, "SELECT count(*) FROM event WHERE type = 'uncertain'")).isZero();
  }

  /** Attempts are before the answer to their dot, and others wait, as the store goes. */
  private static void outage(
      TestProxy proxy, Relay relay, String name, String refusal, Change begins, Change ends)
      throws Exception {
    relay.hang(CONNECTIONS);
    proxy.submit(
        IntStream.range(0, 10).mapToObj(i -> message("acme", "main", name + "-" + i)).toList());
    assertThat(relay.hung.await(60, TimeUnit.SECONDS)).isTrue();
    begins.make();

    await().atMost(SOON).untilAsserted(() -> assertRefused(add(proxy, name + "-refused"), refusal));
    await().atMost(SOON).until(() -> ready(proxy) == 503);
    relay.answers.countDown(); // from now on there are results that cannot be stored
    for (int i = 0; i < 5; i++) {
      assertRefused(add(proxy, name + "-refused"), refusal);
    }
    assertThat(relay.mails).filteredOn(id -> id.startsWith(name)).hasSize(CONNECTIONS);

    ends.make();
    await().atMost(SOON).until(() -> ready(proxy) == 200);
    for (int i = 0; i < 10; i++) {
      String id = name + "-" + i;
      await().atMost(SOON).until(() -> proxy.state("acme", id).equals("sent"));
    }
  }

  /** Somebody has all connections for commits, and does not give them back. */
  private static void held(TestProxy proxy) throws SQLException {
    DataSource commits = proxy.proxy().bean("database", Database.class).commits();
    List<Connection> held = List.of(commits.getConnection(), commits.getConnection());
    assertUnavailable(add(proxy, "held"));
    for (Connection connection : held) { // cut meanwhile, for all it could tell they were silent
      assertThatThrownBy(connection::close).hasMessageContaining("closed");
    }
    await().atMost(SOON).until(() -> add(proxy, "held").statusCode() == 200);
  }

  private static HttpResponse<String> add(TestProxy proxy, String id) {
    return proxy.post(
        "/commands/add-messages", Map.of("messages", List.of(message("acme", "main", id))));
  }

  private static void assertUnavailable(HttpResponse<String> answer) {
    assertRefused(answer, "503 store_unavailable");
  }

  private static void assertRefused(HttpResponse<String> answer, String refusal) {
    String code = TestProxy.json(answer).path("code").asText();
    assertThat(answer.statusCode() + " " + code).as(answer.body()).isEqualTo(refusal);
    assertThat(answer.headers().firstValue("Retry-After")).isPresent();
  }

  private static int ready(TestProxy proxy) {
    return proxy.get("/health/ready").statusCode();
  }

  /** A server on PostgreSQL ends all its sessions then, and begins again from its log. */
  @Test
  @Timeout(value = 240, unit = TimeUnit.SECONDS)
  void a_server_whose_disk_does_not_keep_what_it_is_given_is_survived() throws Exception {
    List<String> mails = Collections.synchronizedList(new ArrayList<>());
    Relay relay = new Relay(mails);
    List<String> taken = Collections.synchronizedList(new ArrayList<>());
    List<String> refused = Collections.synchronizedList(new ArrayList<>());
    try (EmbeddedPostgres server =
            EmbeddedPostgres.builder()
                .setPort(TestPorts.next())
                .setServerConfig("fsync", "on")
                .setPGStartupWait(Duration.ofSeconds(60))
                .start();
        SmtpSink sink = new SmtpSink(relay)) {
      String database = "postgresql://postgres@127.0.0.1:" + server.getPort() + "/postgres";
      TestStore.shareAt(database, home);
      try (TestProxy proxy = TestProxy.start(home, "lease.seconds", "120")) {
        proxy.post("/tenant", Map.of("id", "acme"));
        proxy.relayAccount("acme", "main", sink.port(), "max_connections", CONNECTIONS);
        relay.hang(CONNECTIONS);
        List<CompletableFuture<Void>> clients =
            IntStream.range(0, 4)
                .mapToObj(i -> CompletableFuture.runAsync(() -> client(proxy, i, taken, refused)))
                .toList();
        assertThat(relay.hung.await(60, TimeUnit.SECONDS)).isTrue();
        List<Long> sessions =
            TestStore.firstProcess(database).children().map(ProcessHandle::pid).toList();
        try (FailingDisk disk = FailingDisk.under(home, sessions)) {
          for (CompletableFuture<Void> client : clients) {
            client.get(60, TimeUnit.SECONDS);
          }
          disk.awaitEnd();
          assertThat(disk.failed()).isPositive();
        }
        assertThat(mails).hasSize(CONNECTIONS);
        relay.answers.countDown(); // there are results of before

        await().atMost(SOON).until(() -> ready(proxy) == 200);
        for (String id : refused) {
          await().atMost(SOON).until(() -> add(proxy, id).statusCode() == 200);
        }
        taken.addAll(refused);
        for (String id : taken) {
          await().atMost(SOON).until(() -> proxy.state("acme", id).equals("sent"));
        }
      } finally {
        TestStore.forget(home);
      }
    }
    assertThat(mails).containsExactlyInAnyOrderElementsOf(taken);
  }

  /** Gives mail one by one until one is refused. */
  private static void client(
      TestProxy proxy, int client, List<String> taken, List<String> refused) {
    for (int i = 0; refused.isEmpty(); i++) {
      String id = client + "-" + i;
      HttpResponse<String> answer = add(proxy, id);
      if (answer.statusCode() == 200) {
        taken.add(id);
      } else {
        assertUnavailable(answer);
        refused.add(id);
      }
    }
  }

  /** A file system of its own for the data, and somebody else's file in it. */
  @Test
  @Timeout(value = 240, unit = TimeUnit.SECONDS)
  void a_full_disk_is_told_and_all_goes_on_when_there_is_room_again() throws Exception {
    assumeTrue(mayMount(), "this user may not mount a file system of a few megabytes");
    int taken = 0;
    List<String> mails = Collections.synchronizedList(new ArrayList<>());
    Relay relay = new Relay(mails);
    Path data = Files.createDirectories(home.resolve("data"));
    try (SmtpSink sink = new SmtpSink(relay);
        ProxyProcess proxy =
            ProxyProcess.startBy(
                onSmallDisk(data),
                TestProxy.home(home),
                System.getProperty("java.class.path"),
                List.of(),
                "GMP_DB_PATH",
                data.resolve("mail.db").toString(),
                "GMP_RETRY_DELAYS",
                "1")) {
      proxy.post("/tenant", "{\"id\":\"acme\"}");
      proxy.post(
          "/account",
          "{\"id\":\"main\",\"tenant_id\":\"acme\",\"host\":\"127.0.0.1\",\"port\":"
              + sink.port()
              + ",\"max_connections\":"
              + CONNECTIONS
              + "}");
      relay.hang(CONNECTIONS);
      proxy.post("/commands/add-messages", batch("first", 10));
      taken += 10;
      assertThat(relay.hung.await(60, TimeUnit.SECONDS)).isTrue();
      Path ballast = Path.of("/proc/" + proxy.pid() + "/root" + data.resolve("ballast"));
      fill(ballast);

      String full = "";
      for (int i = 0; i < 100 && !full.startsWith("HTTP/1.1 507 "); i++) {
        full = proxy.refusal("/commands/add-messages", batch("more-" + i, 10));
        if (full.startsWith("HTTP/1.1 200 ")) {
          taken += 10;
        }
      }
      assertThat(full).contains("\r\nRetry-After: ").contains("\"storage_full\"");
      assertThat(status(proxy, "/health/ready")).isEqualTo(503);
      relay.answers.countDown();
      assertThat(proxy.refusal("/commands/add-messages", batch("refused", 50)))
          .startsWith("HTTP/1.1 507 ");
      assertThat(mails).hasSize(CONNECTIONS);

      Files.delete(ballast);
      await().atMost(SOON).until(() -> status(proxy, "/health/ready") == 200);
      proxy.awaitEmpty(SOON);
      proxy.post("/commands/add-messages", batch("last", 1));
      proxy.awaitEmpty(SOON);
      assertThat(mails).doesNotHaveDuplicates().hasSize(taken + 1).contains("last-0");
      assertThat(proxy.stop()).isZero();
    }
  }

  private static boolean mayMount() throws Exception {
    Process process =
        new ProcessBuilder("unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    return process.waitFor() == 0;
  }

  private static List<String> onSmallDisk(Path data) {
    String mount = "mount -t tmpfs -o size=16m none \"$0\" && exec \"$@\"";
    return List.of("unshare", "-rm", "sh", "-c", mount, data.toString());
  }

  private static void fill(Path file) throws IOException {
    byte[] block = new byte[4096];
    try (OutputStream out = Files.newOutputStream(file)) {
      for (int i = 0; i < 100_000; i++) {
        out.write(block);
      }
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("No space left");
      return;
    }
    throw new AssertionError("the disk is not full");
  }

  private static int status(ProxyProcess proxy, String path) throws IOException {
    try (KeepAlive connection = proxy.connect()) {
      return connection.get(path).status();
    }
  }

  private static String batch(String ids, int messages) {
    String body = "x".repeat(20_000);
    return IntStream.range(0, messages)
        .mapToObj(
            i ->
                "{\"id\":\"%s-%d\",\"tenant_id\":\"acme\",\"account_id\":\"main\",\"from\":\"a@b.test\",\"to\":[\"b@b.test\"],\"subject\":\"s\",\"body\":\"%s\"}"
                    .formatted(ids, i, body))
        .collect(joining(",", "{\"messages\":[", "]}"));
  }

  private static long number(String database, String query) throws SQLException {
    try (Connection store = TestStore.connect(database);
        Statement statement = store.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }

  private static void change(String database, String sql) throws SQLException {
    try (Connection store = TestStore.connect(database);
        Statement statement = store.createStatement()) {
      statement.execute(sql);
    }
  }

  private interface Change {
    void make() throws Exception;
  }

  /** Takes every mail, and lets the next ones wait for the answer to their dot when asked to. */
  private static final class Relay implements SmtpSink.Listener {
    final List<String> mails;
    volatile CountDownLatch hung = new CountDownLatch(0);
    volatile CountDownLatch answers = new CountDownLatch(0);

    Relay(List<String> mails) {
      this.mails = mails;
    }

    void hang(int next) {
      answers = new CountDownLatch(1);
      hung = new CountDownLatch(next);
    }

    @Override
    public void accepted(SmtpSink.Mail mail) {
      mails.add(mail.clientId());
      hung.countDown();
      try {
        answers.await(2, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
