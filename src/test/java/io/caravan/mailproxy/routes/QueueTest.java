package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.LogLines;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.endtoend.TestStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** routes/queue.camel.yaml: what waits in the store goes out when it is due and there is room. */
class QueueTest {
  private static final Pattern CLIENT_ID = Pattern.compile("X-Genro-Mail-ID: (\\S+)");

  @TempDir Path home;
  private ScriptedSmtpServer relay;

  @BeforeEach
  void start() throws Exception {
    relay = new ScriptedSmtpServer();
  }

  @AfterEach
  void stop() throws Exception {
    relay.close();
  }

  @Test
  void what_has_no_room_in_memory_waits_in_the_store() {
    try (TestProxy proxy = TestProxy.start(home, "queue.ram.max-batches", "1")) {
      proxy.relayAccount("acme", "a", relay.port());
      List<Map<String, Object>> messages = new ArrayList<>();
      for (int i = 0; i < 25; i++) {
        messages.add(message("acme", "a", "m-" + i));
      }
      proxy.submit(messages);

      await().untilAsserted(() -> assertThat(relay.mails).hasSize(25));
      assertThat(ids()).doesNotHaveDuplicates();
      for (int i = 0; i < 25; i++) {
        History.awaitState(proxy, "acme", "m-" + i, "sent");
      }
      assertThat(proxy.exchanges("claim-lane")).isPositive();
      assertThat(proxy.exchanges("deliver-message")).isEqualTo(25);
      assertThat(proxy.exchanges("ram-queue")).as("first attempts all").isEqualTo(25);
      assertThat(relay.mails).allMatch(mail -> !mail.content().contains("Jdbc"));
    }
  }

  @Test
  void a_message_for_later_is_shown_and_kept_until_then() {
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port());
      long now = Instant.now().getEpochSecond();
      proxy.submit(
          List.of(
              message("acme", "a", "tomorrow", "deferred_ts", now + 86_400),
              message("acme", "a", "soon", "deferred_ts", now + 2),
              message("acme", "a", "past", "deferred_ts", now - 86_400)));

      assertThat(proxy.message("acme", "tomorrow").path("deferred_ts").longValue())
          .isEqualTo(now + 86_400);
      History.awaitState(proxy, "acme", "past", "sent");
      History.awaitState(proxy, "acme", "soon", "sent");
      assertThat(proxy.message("acme", "soon").path("sent_ts").longValue())
          .isGreaterThanOrEqualTo(now + 2);
      assertThat(ids()).containsExactly("past", "soon");
      assertThat(proxy.state("acme", "tomorrow")).isEqualTo("deferred");
    }
  }

  @Test
  void what_was_claimed_goes_and_what_is_due_later_too_though_the_store_fails_right_after()
      throws Exception {
    String shipped = Files.readString(Path.of("routes/queue.camel.yaml"));
    String failing = shipped.replace("load('next-due')", "load('is-not-there')");
    assertThat(failing).isNotEqualTo(shipped);
    TestProxy.route(home, "queue.camel.yaml", failing);
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port());
      long soon = Instant.now().getEpochSecond() + 1;
      proxy.submit(
          List.of(
              message("acme", "a", "later", "deferred_ts", soon + 3),
              message("acme", "a", "soon", "deferred_ts", soon)));
      History.awaitState(proxy, "acme", "soon", "sent");
      History.awaitState(proxy, "acme", "later", "sent");
      assertThat(ids()).containsExactly("soon", "later");
    }
  }

  @Test
  void each_of_several_later_times_of_a_lane_is_met() {
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port());
      long now = Instant.now().getEpochSecond();
      proxy.submit(
          List.of(
              message("acme", "a", "third", "deferred_ts", now + 4),
              message("acme", "a", "first", "deferred_ts", now + 2),
              message("acme", "a", "second", "deferred_ts", now + 3)));

      await().untilAsserted(() -> assertThat(ids()).containsExactly("first", "second", "third"));
    }
  }

  @Test
  void mails_of_one_connection_go_by_priority() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    relay.script =
        step -> {
          if (step.is("MAIL") && step.mails() == 0 && step.connection() == 1) {
            hold(gate);
          }
          return null;
        };
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port(), "max_connections", 1);
      proxy.submit(message("acme", "a", "first"));
      await().untilAsserted(() -> assertThat(relay.count("MAIL")).isEqualTo(1));
      for (int priority = 3; priority >= 0; priority--) {
        proxy.submit(message("acme", "a", "level-" + priority, "priority", priority));
      }
      gate.countDown();

      await().untilAsserted(() -> assertThat(relay.mails).hasSize(5));
      assertThat(ids()).containsExactly("first", "level-0", "level-1", "level-2", "level-3");
      assertThat(relay.mostOpen).hasValue(1);
    }
  }

  @Test
  void what_comes_due_together_goes_by_priority() {
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port(), "max_connections", 1);
      long due = Instant.now().getEpochSecond() + 2;
      List<Map<String, Object>> messages = new ArrayList<>();
      for (int priority = 3; priority >= 0; priority--) {
        messages.add(
            message("acme", "a", "level-" + priority, "priority", priority, "deferred_ts", due));
      }
      proxy.submit(messages);

      await().untilAsserted(() -> assertThat(relay.mails).hasSize(4));
      assertThat(ids()).containsExactly("level-0", "level-1", "level-2", "level-3");
    }
  }

  @Test
  void a_restart_before_the_body_sends_what_was_under_way_once() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    relay.script =
        step -> {
          if (step.is("MAIL") && step.line().contains("held@")) {
            hold(gate);
          }
          return null;
        };
    try (TestProxy proxy = TestProxy.start(home, "drain.seconds", "1", "retry.delays", "0")) {
      proxy.relayAccount("acme", "a", relay.port(), "max_connections", 2);
      proxy.submit(message("acme", "a", "done"));
      History.awaitState(proxy, "acme", "done", "sent");
      proxy.submit(
          List.of(
              message("acme", "a", "held-1", "from", "held@example.test"),
              message("acme", "a", "held-2", "from", "held@example.test"),
              message("acme", "a", "waiting")));
      await().untilAsserted(() -> assertThat(relay.count("MAIL")).isEqualTo(1 + 2));
    }
    gate.countDown();
    try (TestProxy proxy = TestProxy.start(home)) {
      for (String id : List.of("held-1", "held-2", "waiting")) {
        History.awaitState(proxy, "acme", id, "sent");
      }
      assertThat(ids()).containsExactlyInAnyOrder("done", "held-1", "held-2", "waiting");
      assertThat(History.types(proxy, "acme", "held-1")).doesNotContain("uncertain");
      assertThat(proxy.get("/status").body()).contains("\"pending_messages\":0");
    }
  }

  @Test
  void a_restart_after_the_body_is_uncertain_and_tells() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    relay.script =
        step -> {
          if (step.is(".") && gate.getCount() > 0) {
            hold(gate);
            return ScriptedSmtpServer.DROP;
          }
          return null;
        };
    try (TestProxy proxy = TestProxy.start(home, "drain.seconds", "1", "retry.delays", "0")) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.submit(message("acme", "a", "m"));
      await().untilAsserted(() -> assertThat(relay.mails).hasSize(1));
    }
    gate.countDown();
    try (TestProxy proxy = TestProxy.start(home, "retry.delays", "0")) {
      History.awaitState(proxy, "acme", "m", "sent");
      assertThat(History.types(proxy, "acme", "m")).contains("uncertain").endsWith("sent");
      assertThat(relay.mails).hasSize(2);
      assertThat(relay.mails.get(1).content()).isEqualTo(relay.mails.get(0).content());
    }
  }

  @Test
  void a_message_that_cannot_be_read_waits_alone_and_nothing_is_said_of_it() throws Exception {
    long tomorrow = Instant.now().getEpochSecond() + 86_400;
    try (TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.submit(
          List.of(
              message("acme", "a", "broken", "deferred_ts", tomorrow),
              message("acme", "a", "whole", "deferred_ts", tomorrow)));
    }
    try (Connection file = TestStore.connect(home);
        Statement statement = file.createStatement()) {
      statement.executeUpdate("UPDATE message SET payload = '{' WHERE id = 'broken'");
      statement.executeUpdate("UPDATE queue SET due_at = 1");
    }
    try (LogLines log = new LogLines();
        TestProxy proxy = TestProxy.start(home)) {
      await().untilAsserted(() -> assertThat(ids()).containsExactly("whole"));
      await().untilAsserted(() -> assertThat(proxy.exchanges("settle-attempt")).isEqualTo(2));
      await()
          .untilAsserted(
              () -> assertThat(proxy.get("/status").body()).contains("\"pending_messages\":1"));
      assertThat(proxy.get("/metrics").body())
          .contains("gmp_errors_total{account_id=\"a\"} 0.0")
          .contains("gmp_deferred_total{account_id=\"a\"} 0.0");
      assertThat(log.lines())
          .anyMatch(line -> line.matches("(?s)ERROR settle-attempt failed for .* not be read: .*"));
    }
    try (Connection file = TestStore.connect(home);
        Statement statement = file.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT q.state, q.attempts, r.state AS recipient,"
                    + " (SELECT count(*) FROM event e WHERE e.message_pk = m.pk) AS events"
                    + " FROM message m JOIN queue q ON q.message_pk = m.pk"
                    + " JOIN recipient r ON r.message_pk = m.pk WHERE m.id = 'broken'")) {
      assertThat(rows.next()).isTrue();
      assertThat(rows.getString("state")).isEqualTo("due");
      assertThat(rows.getInt("attempts")).isZero();
      assertThat(rows.getString("recipient")).isEqualTo("pending");
      assertThat(rows.getInt("events")).isZero();
    }
  }

  private static void hold(CountDownLatch gate) {
    try {
      if (!gate.await(30, TimeUnit.SECONDS)) {
        throw new IllegalStateException("the gate stayed closed");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The client's ids of the mails that arrived, in order. */
  private List<String> ids() {
    List<String> ids = new ArrayList<>();
    synchronized (relay.mails) {
      for (ScriptedSmtpServer.Mail mail : relay.mails) {
        Matcher id = CLIENT_ID.matcher(mail.content());
        assertThat(id.find()).isTrue();
        ids.add(id.group(1));
      }
    }
    return ids;
  }
}
