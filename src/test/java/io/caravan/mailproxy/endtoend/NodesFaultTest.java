package io.caravan.mailproxy.endtoend;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What happens to one node is survived by the others: processes on one PostgreSQL database. */
class NodesFaultTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final int KILLED = 143;
  private static final int CONNECTIONS = 2;
  private static final int WAITING = 40;

  @TempDir Path folder;

  /** The short form of bench/chaos with two nodes; they migrate an empty database at once. */
  @Test
  @Timeout(value = 180, unit = TimeUnit.SECONDS)
  void nothing_is_lost_and_no_duplicate_is_silent_when_a_node_is_killed_paused_drained_or_cut_off()
      throws Exception {
    long seed = System.nanoTime();
    Path[] homes = {folder.resolve("one"), folder.resolve("two")};
    TestStore.share(homes);
    try (FaultRounds rounds = new FaultRounds(folder, new Random(seed), homes)) {
      rounds.round(200, FaultRounds.Fault.DRAIN);
      assertThat(events("uncertain")).as("uncertain after a drain").isZero();
      rounds.round(200, FaultRounds.Fault.KILL);
      rounds.round(200, FaultRounds.Fault.PAUSE);
      rounds.round(200, FaultRounds.Fault.CUT);
      Ledgers.Result result = rounds.finish();
      assertThat(result.holds()).as("seed %d: %s", seed, result).isTrue();
      assertThat(result.accepted()).isGreaterThanOrEqualTo(800);
    }
  }

  /** A relay that answers no dot of the first mails until it is let. */
  @Test
  @Timeout(value = 180, unit = TimeUnit.SECONDS)
  void a_node_that_stops_leaves_its_queue_to_others_and_one_of_the_same_name_does_no_harm()
      throws Exception {
    Path[] homes = {home("one"), home("two"), home("three"), home("four")};
    TestStore.share(homes);
    CountDownLatch answers = new CountDownLatch(1);
    Set<String> hung = ConcurrentHashMap.newKeySet();
    List<String> mails = new ArrayList<>();
    SmtpSink.Listener hanging =
        mail -> {
          synchronized (mails) {
            mails.add(mail.clientId());
          }
          if (mail.clientId().startsWith("hang-")) {
            hung.add(mail.clientId());
            hang(answers);
          }
        };
    try (SmtpSink relay = new SmtpSink(hanging);
        ProxyProcess one = start(homes[0])) {
      one.post("/tenant", "{\"id\":\"acme\"}");
      one.post("/account", account(relay.port()));
      one.post("/commands/add-messages", batch("hang-", CONNECTIONS));
      await().atMost(SOON).until(() -> hung.size() == CONNECTIONS);
      one.post("/commands/add-messages", batch("wait-", WAITING));
      try (ProxyProcess two = start(homes[1])) {
        // drain: what waited goes to the other node while the hanging attempts are still under way
        one.signal("TERM");
        await().atMost(SOON).until(() -> count(mails, "wait-") == WAITING);
        String refused = one.refusal("/commands/add-messages", batch("late-", 1));
        assertThat(refused).startsWith("HTTP/1.1 503 ").contains("\r\nRetry-After: ");
        assertThat(Json.MAPPER.readTree(refused.substring(refused.indexOf('{'))).path("code"))
            .hasToString("\"draining\"");
        try (KeepAlive connection = one.connect()) {
          assertThat(connection.get("/health").status()).isEqualTo(200);
          assertThat(connection.get("/health/ready").status()).isEqualTo(503);
        }
        answers.countDown();
        assertThat(one.awaitEnd(SOON)).isZero();
        assertThat(events("uncertain")).isZero();
        assertThat(number("SELECT count(*) FROM queue")).isZero();
        assertThat(mails).doesNotHaveDuplicates().hasSize(CONNECTIONS + WAITING);

        // a third one takes the name of the second, which goes on under another number
        long number = number("SELECT max(pk) FROM node");
        two.post("/commands/add-messages", batch("before-", WAITING));
        try (ProxyProcess three = start(homes[2], "GMP_NODE_NAME", homes[1].toString())) {
          await()
              .atMost(SOON)
              .until(() -> number("SELECT count(*) FROM node WHERE pk > " + number) == 2);
          two.post("/commands/add-messages", batch("two-", WAITING));
          three.post("/commands/add-messages", batch("three-", WAITING));
          await().atMost(SOON).until(() -> number("SELECT count(*) FROM queue") == 0);
          assertThat(number("SELECT count(*) FROM node WHERE pk > " + number)).isEqualTo(2);
          assertThat(Set.copyOf(mails)).hasSize(CONNECTIONS + 4 * WAITING);
          assertThat((long) mails.size() - Set.copyOf(mails).size())
              .isLessThanOrEqualTo(events("uncertain"));

          // the schema of a later version
          change(
              "INSERT INTO flyway_schema_history SELECT 999999, '999', 'later', 'SQL', 'V999__later.sql',"
                  + " 0, 'x', now(), 1, true");
          assertThatThrownBy(() -> start(homes[3])).hasMessageContaining("ended at its start");
          assertThat(Files.readAllLines(homes[3].resolve("proxy.log")))
              .filteredOn(line -> line.startsWith("mail-proxy cannot start: "))
              .singleElement()
              .asString()
              .contains("later version");
          three.signal("TERM");
          assertThat(three.awaitEnd(SOON)).isZero();
        }
      }
    }
  }

  /** The second SIGTERM. */
  @Test
  @Timeout(value = 120, unit = TimeUnit.SECONDS)
  void who_asks_twice_to_stop_does_not_wait() throws Exception {
    CountDownLatch answers = new CountDownLatch(1);
    CountDownLatch hung = new CountDownLatch(1);
    SmtpSink.Listener hanging =
        mail -> {
          hung.countDown();
          hang(answers);
        };
    Path home = home("alone");
    try (SmtpSink relay = new SmtpSink(hanging);
        ProxyProcess proxy = start(home)) {
      proxy.post("/tenant", "{\"id\":\"acme\"}");
      proxy.post("/account", account(relay.port()));
      proxy.post("/commands/add-messages", batch("hang-", 1));
      assertThat(hung.await(60, TimeUnit.SECONDS)).isTrue();
      proxy.signal("TERM");
      await()
          .atMost(SOON)
          .until(() -> proxy.refusal("/commands/run-now", "{}").startsWith("HTTP/1.1 503 "));
      proxy.signal("TERM");
      assertThat(proxy.awaitEnd(SOON)).isEqualTo(KILLED);
      answers.countDown();
    }
  }

  private Path home(String name) throws IOException {
    return Files.createDirectories(folder.resolve(name));
  }

  /** With a lease that a busy machine does not let end: its end is not what is looked at. */
  private static ProxyProcess start(Path home, String... settings) throws IOException {
    List<String> all = new ArrayList<>(List.of(settings));
    all.addAll(List.of("GMP_LEASE_SECONDS", "60"));
    return ProxyProcess.start(home, all.toArray(String[]::new));
  }

  private static void hang(CountDownLatch latch) {
    try {
      latch.await(2, TimeUnit.MINUTES);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static long count(List<String> mails, String ids) {
    synchronized (mails) {
      return mails.stream().filter(id -> id.startsWith(ids)).count();
    }
  }

  private long events(String type) throws SQLException {
    return number("SELECT count(*) FROM event WHERE type = '" + type + "'");
  }

  private long number(String query) throws SQLException {
    try (Connection store = TestStore.connect(folder.resolve("one"));
        Statement statement = store.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }

  private void change(String sql) throws SQLException {
    try (Connection store = TestStore.connect(folder.resolve("one"));
        Statement statement = store.createStatement()) {
      statement.execute(sql);
    }
  }

  private static String account(int port) {
    return String.format(
        "{\"id\":\"relay\",\"tenant_id\":\"acme\",\"host\":\"127.0.0.1\",\"port\":%d,"
            + "\"max_connections\":%d}",
        port, CONNECTIONS);
  }

  private static String batch(String ids, int messages) {
    return IntStream.range(0, messages)
        .mapToObj(
            i ->
                "{\"id\":\""
                    + ids
                    + i
                    + "\",\"tenant_id\":\"acme\",\"account_id\":\"relay\",\"from\":\"a@b.test\","
                    + "\"to\":[\"b@b.test\"],\"subject\":\"s\",\"body\":\"b\"}")
        .collect(joining(",", "{\"messages\":[", "]}"));
  }
}
