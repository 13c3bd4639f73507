package io.caravan.mailproxy.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that is killed at each point of an attempt (reliability-security A5, F3 to F7). One
 * chain: each process sends what the one before left, then ends at its own point.
 */
class FailpointTest {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final int KILLED = 137;

  @TempDir Path home;

  @Test
  @Timeout(value = 180, unit = TimeUnit.SECONDS)
  void only_an_attempt_whose_body_may_have_left_is_uncertain_and_nothing_is_lost()
      throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      killedAt("send.afterClaim:1", relay, "f3");
      killedAt("send.beforeData:2", relay, "f4");
      killedAt("send.midData:1", relay, "f5");
      killedAt("send.beforeResultCommit:2", relay, "f7");
      try (ProxyProcess proxy = start("none")) {
        proxy.awaitEmpty(SOON);
        relay.script =
            step -> step.is(".") && relay.mails.size() == 6 ? ScriptedSmtpServer.HANG : null;
        proxy.post("/commands/add-messages", batch("f6"));
        await().atMost(SOON).until(() -> relay.mails.size() == 6);
        proxy.kill();
      }
      try (ProxyProcess proxy = start("none")) {
        proxy.awaitEmpty(SOON);
        assertThat(proxy.stop()).isZero();
      }

      assertThat(ids(relay))
          .as("f5 was cut in its body; of f6 and f7 nobody can know")
          .containsExactly("f3", "f4", "f5", "f7", "f7", "f6", "f6");
      assertThat(events("uncertain")).containsExactly("f5", "f7", "f6");
      assertThat(events("deferred")).isEmpty();
      assertThat(events("sent")).containsExactly("f3", "f4", "f5", "f7", "f6");
    }
  }

  /** F1, F2 and F8: at the edges of intake, and between a report's answer and its record. */
  @Test
  @Timeout(value = 180, unit = TimeUnit.SECONDS)
  void a_request_that_breaks_off_is_stored_once_and_a_report_is_told_again_rather_than_lost()
      throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestApplication application = new TestApplication()) {
      try (ProxyProcess proxy = start("intake.beforeCommit:1")) {
        proxy.post(
            "/tenant", Json.text(Map.of("id", "acme", "client_base_url", application.url())));
        proxy.post("/account", account(relay));
        breaksOff(proxy, "f1");
      }
      try (ProxyProcess proxy = start("intake.afterCommit:2")) {
        assertThat(messages(proxy)).doesNotContain("f1");
        proxy.post("/commands/add-messages", batch("f1"));
        // else the next process may tell of f1 first, and end at that report
        await().atMost(SOON).until(() -> messages(proxy).contains("reported_ts"));
        breaksOff(proxy, "f2");
      }
      endsAt("report.beforeAckCommit:1");
      assertThat(told(application, "f2")).as("told, and not recorded as told").isEqualTo(1);
      try (ProxyProcess proxy = start("none")) {
        proxy.post("/commands/add-messages", batch("f2"));
        proxy.awaitEmpty(SOON);
        await().atMost(SOON).until(() -> told(application, "f2") == 2);
        assertThat(proxy.stop()).isZero();
      }

      assertThat(told(application, "f1")).isPositive();
      assertThat(ids(relay)).containsExactlyInAnyOrder("f1", "f2");
      assertThat(events("sent")).containsExactlyInAnyOrder("f1", "f2");
    }
  }

  private void breaksOff(ProxyProcess proxy, String id) {
    assertThatThrownBy(() -> proxy.post("/commands/add-messages", batch(id)))
        .isInstanceOf(IOException.class);
    assertThat(proxy.awaitEnd(SOON)).isEqualTo(KILLED);
  }

  private static String messages(ProxyProcess proxy) throws IOException {
    try (KeepAlive connection = proxy.connect()) {
      return connection.get("/messages?tenant_id=acme").body();
    }
  }

  private void endsAt(String point) {
    try (ProxyProcess proxy = start(point)) {
      assertThat(proxy.awaitEnd(SOON)).isEqualTo(KILLED);
    } catch (IOException e) {
      // it ended before it was ready
    }
  }

  private static long told(TestApplication application, String id) {
    return application.events().stream()
        .filter(event -> event.path("id").asText().equals(id))
        .count();
  }

  private static String account(ScriptedSmtpServer relay) {
    return Json.text(
        Map.of("id", "a", "tenant_id", "acme", "host", "127.0.0.1", "port", relay.port()));
  }

  private void killedAt(String point, ScriptedSmtpServer relay, String id) throws IOException {
    try (ProxyProcess proxy = start(point)) {
      if (id.equals("f3")) {
        proxy.post("/account", account(relay));
      }
      if (!id.equals("f4")) {
        proxy.awaitEmpty(SOON);
      } else {
        await().atMost(SOON).until(() -> relay.mails.size() == 1);
      }
      try {
        proxy.post("/commands/add-messages", batch(id));
      } catch (IOException e) {
        // it ended before its answer
      }
      assertThat(proxy.awaitEnd(SOON)).as(point).isEqualTo(KILLED);
    }
  }

  private ProxyProcess start(String point) throws IOException {
    List<String> options = new ArrayList<>(ProxyProcess.QUICK_START);
    options.add("-Dmailproxy.failpoint=" + point);
    return ProxyProcess.start(
        TestProxy.home(home),
        System.getProperty("java.class.path"),
        options,
        "GMP_RETRY_DELAYS",
        "60");
  }

  private static String batch(String id) {
    return Json.text(
        Map.of(
            "messages",
            List.of(
                TestProxy.message(
                    "acme", "a", id, "body", id.equals("f5") ? "x".repeat(600_000) : "short"))));
  }

  private static List<String> ids(ScriptedSmtpServer relay) {
    synchronized (relay.mails) {
      return relay.mails.stream()
          .map(mail -> mail.content().replaceAll("(?s).*X-Genro-Mail-ID: (\\S+).*", "$1"))
          .toList();
    }
  }

  private List<String> events(String type) throws Exception {
    try (Connection store = TestStore.connect(home);
        Statement statement = store.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT m.id FROM event e JOIN message m ON m.pk = e.message_pk WHERE e.type = '"
                    + type
                    + "' ORDER BY e.pk")) {
      List<String> ids = new ArrayList<>();
      while (rows.next()) {
        ids.add(rows.getString(1));
      }
      return ids;
    }
  }
}
