package io.caravan.mailproxy.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.admin.Secrets;
import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.intake.BatchReader;
import io.caravan.mailproxy.intake.IntakeLimits;
import io.caravan.mailproxy.intake.Submission;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.AttemptResult;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.Priority;
import io.caravan.mailproxy.message.Recipient;
import io.caravan.mailproxy.message.Settled;
import io.caravan.mailproxy.message.TraceParent;
import io.caravan.mailproxy.message.Verdict;
import io.caravan.mailproxy.queue.Ended;
import io.caravan.mailproxy.queue.InFlight;
import io.caravan.mailproxy.queue.Lanes;
import io.caravan.mailproxy.queue.Lease;
import io.caravan.mailproxy.queue.Nodes;
import io.caravan.mailproxy.queue.Outbox;
import io.caravan.mailproxy.queue.Stored;
import io.caravan.mailproxy.queue.Suspensions;
import io.caravan.mailproxy.secret.Keyring;
import io.caravan.mailproxy.throttle.RuleBook;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every store owes: one suite, a subclass for each store. */
abstract class OutboxContract {
  private static final int ROOM = 100;

  private Database database;
  private Registry registry;
  private Lanes lanes;
  private Nodes nodes;
  private Outbox outbox;

  /** Opens the store under test; the same one each time. */
  abstract Database open(InstantSource clock);

  /** What was under way in this store's process; the same file each time. */
  abstract InFlight inFlight(Database database);

  @BeforeEach
  void start() throws SQLException {
    database = open(InstantSource.system());
    execute(
        "INSERT INTO account (tenant_id, id, type, host, port, ttl, limit_behavior, max_connections,"
            + " max_messages_per_connection, created_at, updated_at)"
            + " VALUES ('acme', 'main', 'relay', '127.0.0.1', 25, 300, 'defer', 10, 0, 0, 0)"
            + " ON CONFLICT DO NOTHING");
    boot();
  }

  @AfterEach
  void stop() {
    nodes.close();
    database.close();
  }

  private void boot() {
    registry = new Registry(database, new Secrets(Keyring.parse("A".repeat(43) + "=")));
    lanes = new Lanes(registry, InstantSource.system(), ROOM, 1 << 20);
    RuleBook rules = new RuleBook(database);
    Suspensions suspensions =
        new Suspensions(database, registry, rules, lanes, InstantSource.system());
    InFlight inFlight = inFlight(database);
    nodes = new Nodes(database, new Lease(database, 60), lanes, inFlight);
    outbox = new Outbox(nodes, lanes, rules, suspensions, inFlight);
  }

  /** As after a kill: nothing of the process is left but the store. */
  private void crash() {
    database.close(); // nothing can be given back
    nodes.close();
    database = open(InstantSource.system());
    boot();
  }

  @Test
  void what_its_lane_has_room_for_is_leased_at_once_and_the_rest_is_due() {
    List<Submission> batch = new ArrayList<>();
    for (int i = 0; i < 90; i++) {
      batch.add(submission("m" + i, Map.of()));
    }

    Stored stored = store(batch);

    assertThat(stored.queued()).isEqualTo(90);
    assertThat(stored.hot()).hasSize(80);
    assertThat(count("SELECT count(*) FROM queue WHERE state = 'leased'")).isEqualTo(80);
    assertThat(count("SELECT count(*) FROM queue WHERE state = 'due'")).isEqualTo(10);
    assertThat(outbox.pending()).isEqualTo(90);
    assertThat(store(List.of(submission("later", Map.of()))).hot())
        .as("nothing overtakes what is due")
        .isEmpty();
  }

  @Test
  void a_message_keeps_the_trace_it_came_with_and_its_replacement_brings_another() {
    TraceParent first = new TraceParent("a".repeat(32), "b".repeat(16), true);
    TraceParent second = new TraceParent("c".repeat(32), "d".repeat(16), false);
    Map<String, Object> later = Map.of("deferred_ts", 4_000_000_000L);
    Map<String, Object> other = Map.of("deferred_ts", 4_000_000_001L);
    String kept = "SELECT trace_parent FROM message";

    outbox.store(List.of(submission("m", later)), null, first);
    outbox.store(List.of(submission("m", later)), null, second);
    assertThat(texts(kept)).as("the same again").containsExactly(first.text());
    outbox.store(List.of(submission("m", other)), null, second);
    assertThat(texts(kept)).containsExactly(second.text());
    assertThat(outbox.store(List.of(submission("hot", Map.of())), null, first).hot())
        .extracting(Delivery::traceParent)
        .containsExactly(first);
  }

  @Test
  void what_was_not_begun_goes_back_to_its_place_unspent() {
    Delivery first = store(List.of(submission("first", Map.of()))).hot().get(0);
    Delivery second = store(List.of(submission("second", Map.of()))).hot().get(0);

    outbox.giveBack(List.of(second, first));

    assertThat(
            texts("SELECT pk FROM queue WHERE state = 'due' AND attempts = 0 ORDER BY due_at, pk"))
        .containsExactly(Long.toString(first.pk()), Long.toString(second.pk()));
    assertThat(lanes.room().firsts()).as("their room is free").isZero();
    assertThat(count("SELECT count(*) FROM event")).isZero();
  }

  @Test
  void a_limit_puts_off_without_an_attempt_and_tells_until_when() {
    Delivery delivery = store(List.of(submission("m", Map.of()))).hot().get(0);
    long until = delivery.acceptedAt() + 60_000;

    Settled settled = outbox.postpone(delivery, "main", until, false, "rate_limit");

    assertThat(settled.result()).isEqualTo(Settled.Result.CONNMAXOUT);
    assertThat(count("SELECT due_at FROM queue WHERE state = 'due' AND attempts = 0"))
        .isEqualTo(until);
    assertThat(texts("SELECT data FROM event WHERE type = 'deferred' AND text = 'rate_limit'"))
        .singleElement()
        .asString()
        .contains("\"next_attempt_at\":" + until);
    assertThat(outbox.postpone(delivery, "main", until, false, "rate_limit").isLate())
        .as("the lease is gone")
        .isTrue();
  }

  @Test
  void a_message_for_later_is_due_then() {
    Stored stored = store(List.of(submission("m", Map.of("deferred_ts", 4_000_000_000L))));

    assertThat(stored.hot()).isEmpty();
    assertThat(count("SELECT due_at FROM queue")).isEqualTo(4_000_000_000_000L);
  }

  @Test
  void the_same_again_is_queued_once() {
    store(List.of(submission("m", Map.of())));

    Stored again = store(List.of(submission("m", Map.of())));

    assertThat(again.queued()).isEqualTo(1);
    assertThat(again.refused()).isEmpty();
    assertThat(again.hot()).isEmpty();
    assertThat(count("SELECT count(*) FROM message")).isEqualTo(1);
    assertThat(count("SELECT count(*) FROM queue")).isEqualTo(1);
    assertThat(outbox.pending()).isEqualTo(1);
  }

  @Test
  void another_content_replaces_what_was_not_touched_yet() {
    store(List.of(submission("m", Map.of("deferred_ts", 4_000_000_000L))));

    Stored again =
        store(
            List.of(
                submission(
                    "m",
                    Map.of(
                        "deferred_ts",
                        4_000_000_001L,
                        "priority",
                        0,
                        "to",
                        List.of("new@example.test", "other@example.test")))));

    assertThat(again.refused()).isEmpty();
    assertThat(count("SELECT due_at FROM queue")).isEqualTo(4_000_000_001_000L);
    assertThat(count("SELECT priority FROM queue")).isZero();
    assertThat(count("SELECT count(*) FROM recipient")).isEqualTo(2);
    assertThat(count("SELECT count(*) FROM message")).isEqualTo(1);
  }

  @Test
  void another_content_is_refused_once_an_attempt_began_or_ended() {
    Stored first = store(List.of(submission("m", Map.of())));

    assertThat(refusal("m", Map.of("subject", "new"))).isEqualTo("in delivery");
    outbox.record(result(first.hot().get(0), Verdict.Fate.DEFERRED));
    assertThat(refusal("m", Map.of("subject", "new"))).isEqualTo("in delivery");
    outbox.record(result(claim(), Verdict.Fate.SENT));
    assertThat(refusal("m", Map.of("subject", "new"))).isEqualTo("already sent");
    assertThat(refusal("m", Map.of())).isEqualTo("already sent");
  }

  @Test
  void a_message_is_final_when_its_last_recipient_is() {
    Delivery delivery =
        store(
                List.of(
                    submission(
                        "m",
                        Map.of(
                            "to", List.of("a@example.test", "b@example.test", "c@example.test")))))
            .hot()
            .get(0);
    List<Recipient> all = delivery.recipients();

    Settled first =
        outbox.record(
            new AttemptResult(
                delivery,
                "main",
                List.of(
                    verdict(all.get(0), Verdict.Fate.SENT),
                    verdict(all.get(1), Verdict.Fate.FAILED),
                    verdict(all.get(2), Verdict.Fate.DEFERRED))));

    assertThat(first.result()).isEqualTo(Settled.Result.DEFERRAL);
    assertThat(first.fate()).isEqualTo(Settled.Fate.PENDING);
    assertThat(texts("SELECT state FROM recipient ORDER BY position"))
        .containsExactly("sent", "failed", "pending");
    assertThat(texts("SELECT type FROM event")).containsExactly("deferred");

    Delivery retry = claim();
    assertThat(retry.attempts()).isEqualTo(1);
    assertThat(retry.epoch()).isGreaterThan(delivery.epoch());
    Settled second =
        outbox.record(
            new AttemptResult(
                retry.with(delivery.loaded(), List.of(all.get(2)), null),
                "main",
                List.of(verdict(all.get(2), Verdict.Fate.SENT))));

    assertThat(second.result()).isEqualTo(Settled.Result.SUCCESS);
    assertThat(second.fate()).as("one recipient failed").isEqualTo(Settled.Fate.ERROR);
    assertThat(second.text()).as("though in an attempt before").isEqualTo("250 words");
    assertThat(texts("SELECT text FROM event WHERE type = 'error'"))
        .containsExactly("b@example.test: 250 words");
    assertThat(count("SELECT count(*) FROM queue")).isZero();
    assertThat(outbox.pending()).isZero();
  }

  @Test
  void a_result_of_a_lost_lease_changes_nothing_but_is_kept() throws SQLException {
    Delivery delivery = store(List.of(submission("m", Map.of()))).hot().get(0);
    execute("UPDATE queue SET lease_epoch = lease_epoch + 1");

    assertThat(outbox.enterData(delivery, outbox.node())).isFalse();
    Settled settled = outbox.record(result(delivery, Verdict.Fate.SENT));

    assertThat(settled.result()).isEqualTo(Settled.Result.LATE);
    assertThat(texts("SELECT state FROM recipient")).containsExactly("pending");
    assertThat(texts("SELECT type FROM event")).containsExactly("late");
    assertThat(outbox.pending()).isEqualTo(1);
  }

  @Test
  void a_restart_frees_leases_at_once_and_only_attempts_in_data_are_uncertain() {
    List<Delivery> hot =
        store(List.of(submission("early", Map.of()), submission("late", Map.of()))).hot();
    assertThat(outbox.enterData(hot.get(1), outbox.node())).isTrue();

    crash();

    assertThat(outbox.pending()).isEqualTo(2);
    assertThat(count("SELECT count(*) FROM queue WHERE state = 'due' AND in_data = 0"))
        .isEqualTo(2);
    assertThat(
            texts(
                "SELECT m.id FROM event e JOIN message m ON m.pk = e.message_pk"
                    + " WHERE e.type = 'uncertain'"))
        .containsExactly("late");
    assertThat(
            count(
                "SELECT attempts FROM queue JOIN message m ON m.pk = message_pk"
                    + " WHERE m.id = 'early'"))
        .as("an attempt that sent nothing does not count")
        .isZero();
    assertThat(outbox.record(result(hot.get(0), Verdict.Fate.SENT)).result())
        .as("a lease of the process before")
        .isEqualTo(Settled.Result.LATE);
  }

  @Test
  void what_perhaps_arrived_is_held_over_a_restart_where_that_is_asked_for() {
    List<Delivery> hot =
        store(
                List.of(
                    submission("hold", Map.of("on_uncertain", "hold")),
                    submission("retry", Map.of())))
            .hot();
    hot.forEach(delivery -> outbox.enterData(delivery, outbox.node()));

    crash();

    assertThat(texts("SELECT state || coalesce(hold_reason, '') FROM queue ORDER BY pk"))
        .containsExactly("helduncertain", "due");
    assertThat(texts("SELECT state FROM recipient ORDER BY message_pk"))
        .containsExactly("uncertain", "pending");
    assertThat(texts("SELECT type FROM event")).containsExactly("uncertain", "uncertain");
    assertThat(outbox.resolve("acme", "hold", "retry")).as("it is not at its end").isNull();
    assertThat(count("SELECT count(*) FROM queue WHERE state = 'due'")).isEqualTo(2);
    assertThat(texts("SELECT DISTINCT state FROM recipient")).containsExactly("pending");
  }

  @Test
  void a_delivery_in_which_five_processes_ended_fails_and_others_do_not() {
    store(List.of(submission("m", Map.of()), submission("waits", Map.of())));
    crash();
    for (int i = 0; i < 5; i++) {
      assertThat(outbox.giveUp(poisoned())).isEmpty();
      outbox.begin(claim());
      crash();
    }

    assertThat(texts("SELECT state || coalesce(hold_reason, '') FROM queue ORDER BY pk"))
        .containsExactly("heldpoison", "due");
    assertThat(outbox.giveUp(poisoned()))
        .containsExactly(new Ended("acme", "m", "main", Settled.Fate.ERROR, "poison"));
    assertThat(texts("SELECT type || ' ' || text FROM event"))
        .containsExactly("error b@example.test: poison");
    assertThat(texts("SELECT state FROM recipient ORDER BY message_pk"))
        .containsExactly("failed", "pending");
    assertThat(outbox.pending()).isEqualTo(1);
  }

  @Test
  void a_recorded_outcome_makes_up_for_crashes() {
    store(List.of(submission("m", Map.of())));
    for (int i = 0; i < 7; i++) {
      crash();
      Delivery delivery = claim();
      outbox.begin(delivery);
      if (i % 3 == 2) {
        outbox.record(result(delivery, Verdict.Fate.DEFERRED));
      }
    }
    crash();

    assertThat(count("SELECT crashes FROM queue")).isEqualTo(1);
    assertThat(texts("SELECT state FROM queue")).containsExactly("due");
  }

  @Test
  void what_is_leased_is_not_given_up_under_its_attempt() {
    Delivery delivery = store(List.of(submission("m", Map.of()))).hot().get(0);

    assertThat(outbox.giveUp(List.of(row(delivery.pk(), "expired")))).isEmpty();

    assertThat(outbox.record(result(delivery, Verdict.Fate.SENT)).fate())
        .isEqualTo(Settled.Fate.SENT);
  }

  private List<Map<String, Object>> poisoned() {
    return texts("SELECT pk FROM queue WHERE hold_reason = 'poison'").stream()
        .map(pk -> row(Long.parseLong(pk), "poison"))
        .toList();
  }

  private static Map<String, Object> row(long pk, String reason) {
    return Map.of("tenant_id", "acme", "pk", pk, "reason", reason);
  }

  @Test
  void what_was_given_back_is_due_again() {
    Delivery delivery = store(List.of(submission("m", Map.of()))).hot().get(0);

    outbox.release(delivery, 0, false);

    Delivery again = claim();
    assertThat(again.pk()).isEqualTo(delivery.pk());
    assertThat(again.attempts()).isZero();
  }

  @Test
  void many_callers_at_once_share_commits_and_lose_nothing() throws Exception {
    ExecutorService callers = Executors.newFixedThreadPool(16);
    try {
      List<Future<Stored>> answers = new ArrayList<>();
      for (int i = 0; i < 400; i++) {
        Submission submission = submission("m" + i, Map.of());
        answers.add(callers.submit(() -> store(List.of(submission))));
      }
      for (Future<Stored> answer : answers) {
        assertThat(answer.get().queued()).isEqualTo(1);
      }
    } finally {
      callers.shutdown();
    }
    assertThat(count("SELECT count(*) FROM message")).isEqualTo(400);
    assertThat(count("SELECT count(DISTINCT pk) FROM queue")).isEqualTo(400);
    assertThat(outbox.pending()).isEqualTo(400);
  }

  private String refusal(String id, Map<String, Object> more) {
    Stored stored = store(List.of(submission(id, more)));
    assertThat(stored.queued()).isZero();
    return stored.refused().get(0).reason();
  }

  private Submission submission(String id, Map<String, Object> more) {
    Map<String, Object> item =
        new java.util.HashMap<>(
            Map.of(
                "id", id,
                "account_id", "main",
                "from", "a@example.test",
                "to", List.of("b@example.test"),
                "subject", "s"));
    item.putAll(more);
    return new BatchReader(registry, IntakeLimits.DEFAULT, Priority.MEDIUM)
        .read(Json.MAPPER.valueToTree(Map.of("messages", List.of(item))), null)
        .submissions()
        .get(0);
  }

  private static AttemptResult result(Delivery delivery, Verdict.Fate fate) {
    return new AttemptResult(
        delivery,
        "main",
        delivery.recipients().stream().map(recipient -> verdict(recipient, fate)).toList());
  }

  private static Verdict verdict(Recipient recipient, Verdict.Fate fate) {
    return new Verdict(
        new Answer(recipient, Answer.Kind.ACCEPTED, 250, "2.0.0", "words", Phase.DONE),
        fate,
        fate == Verdict.Fate.DEFERRED ? 0L : null,
        "250 words");
  }

  /** What claim-due.sql does for the one row there is. */
  private Delivery claim() {
    try (Connection connection = database.writer().getConnection();
        PreparedStatement claim =
            connection.prepareStatement(
                database
                    .sql()
                    .load("claim-due")
                    .replace(":?node", String.valueOf(outbox.node()))
                    .replace(":?tenant", "'acme'")
                    .replace(":?account", "1")
                    .replace(":?rule", "0")
                    .replace(":?inline", "0")
                    .replace(":?room", "1"));
        ResultSet row = claim.executeQuery()) {
      assertThat(row.next()).as("a due row").isTrue();
      Delivery claimed =
          new Delivery(
              row.getString("tenant_id"),
              row.getLong("pk"),
              row.getLong("message_pk"),
              LaneKey.of(1),
              row.getLong("lease_epoch"),
              Priority.of(row.getLong("priority")),
              row.getInt("attempts"),
              row.getLong("accepted_at"),
              row.getLong("bytes"),
              null,
              List.of(),
              null);
      return claimed.with(
          submission("m", Map.of()).message(), List.of(new Recipient(0, "b@example.test")), null);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private void execute(String sql) throws SQLException {
    try (Connection connection = database.writer().getConnection();
        var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private long count(String sql) {
    return Long.parseLong(texts(sql).get(0));
  }

  private List<String> texts(String sql) {
    try (Connection connection = database.reader().getConnection();
        var statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      List<String> texts = new ArrayList<>();
      while (rows.next()) {
        texts.add(rows.getString(1));
      }
      return texts;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private Stored store(List<Submission> submissions) {
    return outbox.store(submissions, null, null);
  }
}
