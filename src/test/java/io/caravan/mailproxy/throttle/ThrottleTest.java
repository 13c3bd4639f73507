package io.caravan.mailproxy.throttle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.admin.Secrets;
import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.QueueName;
import io.caravan.mailproxy.queue.InFlight;
import io.caravan.mailproxy.queue.Lanes;
import io.caravan.mailproxy.queue.Lease;
import io.caravan.mailproxy.queue.Nodes;
import io.caravan.mailproxy.queue.RateLedger;
import io.caravan.mailproxy.secret.Keyring;
import io.caravan.mailproxy.throttle.Decision.Answer;
import io.caravan.mailproxy.throttle.Decision.Reason;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Leave to begin, from permits that stand in the store. */
class ThrottleTest {
  private static final long NOON = 1_790_000_000_000L;
  private static final long RULE = 1;

  @TempDir Path folder;
  private long now = NOON;
  private final InstantSource clock = () -> Instant.ofEpochMilli(now);
  private Database database;
  private Nodes nodes;
  private Registry registry;
  private Throttle throttle;
  private final AtomicInteger remote = new AtomicInteger();

  @BeforeEach
  void start() throws SQLException {
    database = Database.of(folder.toString(), "mail.db", clock, 60);
    account("minute", 10, "limit_per_minute", 5);
    account("hour", 10, "limit_per_hour", 100);
    account("open", 2, "limit_per_day", null);
    execute(
        "INSERT OR IGNORE INTO throttle_rule (pk, position, name, domains, messages_per_hour)"
            + " VALUES (1, 0, 'slow', '[\"x.test\"]', 3)");
    boot(0);
  }

  @AfterEach
  void stop() {
    throttle.close();
    halt();
  }

  private void boot(int maxUnacknowledged) {
    registry = new Registry(database, new Secrets(Keyring.parse("A".repeat(43) + "=")));
    RuleBook rules = new RuleBook(database);
    Lanes lanes = new Lanes(registry, clock, 100, 1 << 20);
    nodes = new Nodes(database, new Lease(database, 60), lanes, new InFlight(database));
    throttle =
        new Throttle(
            new Limits(registry, rules), new RateLedger(nodes), clock, 2_000, maxUnacknowledged);
  }

  private void halt() {
    nodes.close();
    database.close();
  }

  /** As after a kill: nothing of the process is left but the store. */
  private void kill() {
    halt();
    database = Database.of(folder.toString(), "mail.db", clock, 60);
    boot(0);
  }

  @Test
  void what_a_window_holds_begins_and_the_next_one_knows_when_it_may() {
    for (int i = 0; i < 5; i++) {
      begin("minute").end(true);
      now += 100;
    }

    Decision sixth = ask("minute", false);

    assertThat(sixth.answer()).isEqualTo(Answer.CONNMAXOUT);
    assertThat(sixth.reason()).isEqualTo(Reason.MSGPERHOUR);
    assertThat(sixth.remote()).isTrue();
    assertThat(sixth.usage()).isEqualTo(new Usage(5, 5, Window.MINUTE, NOON + 61_000, true));
    assertThat(ask("minute", false).remote()).as("known by now").isFalse();
    assertThat(throttle.usage(lane("minute"))).contains(sixth.usage());
    now = NOON + 60_999;
    assertThat(ask("minute", true).answer()).isEqualTo(Answer.CONNMAXOUT);
    now++;
    begin("minute").end(true);
  }

  @Test
  void a_permit_comes_back_only_from_who_did_not_reach_the_relay() {
    for (int i = 0; i < 50; i++) {
      begin("minute").end(false);
    }
    List<Leave> open = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      open.add(begin("minute"));
    }
    Decision refused = ask("minute", false);
    assertThat(refused.answer()).as("they may end soon").isEqualTo(Answer.BACKLOG);
    assertThat(refused.reason()).isEqualTo(Reason.MSGPERHOUR);

    open.remove(0).end(false);

    open.add(begin("minute"));
    open.forEach(leave -> leave.end(true));
    assertThat(ask("minute", true).answer()).isEqualTo(Answer.CONNMAXOUT);
  }

  @Test
  void who_waits_in_the_backlog_is_woken_by_the_end_of_another() throws Exception {
    for (int i = 0; i < 4; i++) {
      begin("minute").end(true);
    }
    Leave last = begin("minute");
    Decision backlog = ask("minute", false);
    CompletableFuture<Void> waiting =
        CompletableFuture.runAsync(
            () -> {
              try {
                throttle.await(account("minute"), lane("minute"), backlog);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    now += 1_000;
    last.end(true);
    waiting.get();

    Decision again = ask("minute", true);
    assertThat(again.answer()).isEqualTo(Answer.CONNMAXOUT);
    assertThat(again.usage().certain()).as("the moment is known now").isTrue();
    assertThat(again.usage().freeAt()).isEqualTo(NOON + 61_000);
  }

  @Test
  void what_was_open_at_a_kill_counts_from_the_start_on() {
    begin("minute").end(true);
    begin("minute");
    begin("minute").end(true);
    now += 10_000;

    kill();

    Usage usage = throttle.usage(lane("minute")).orElseThrow();
    assertThat(usage.used()).isBetween(3L, 5L);
    for (long left = 5 - usage.used(); left > 0; left--) {
      begin("minute").end(true);
    }
    assertThat(throttle.spent()).containsOnlyKeys(lane("minute"));
    assertThat(ask("minute", true).answer()).isEqualTo(Answer.CONNMAXOUT);
    now = NOON + 61_000;
    assertThat(throttle.usage(lane("minute")).orElseThrow().used())
        .as("what ended before the kill is over, what was open is not")
        .isLessThan(5);
  }

  @Test
  void a_stop_gives_back_what_was_not_used() {
    for (int i = 0; i < 20; i++) {
      begin("hour").end(true);
    }
    throttle.close();
    kill();

    assertThat(throttle.usage(lane("hour")).orElseThrow().used()).isEqualTo(20);
    assertThat(number("SELECT coalesce(sum(open), 0) FROM rate_open")).isZero();
  }

  @Test
  void permits_come_in_blocks_and_the_store_is_not_asked_for_each() {
    for (int i = 0; i < 100; i++) {
      begin("hour").end(true);
    }

    assertThat(remote.get()).as("questions for 100 mails").isLessThan(20);
    assertThat(ask("hour", false).usage().used()).isEqualTo(100);
  }

  @Test
  void a_kill_costs_no_more_than_a_tenth_of_the_limit() {
    for (int i = 0; i < 60; i++) {
      begin("hour").end(true);
      if (i % 25 == 0) {
        throttle.round();
      }
    }

    kill();

    assertThat(throttle.usage(lane("hour")).orElseThrow().used()).isBetween(60L, 70L);
  }

  @Test
  void many_threads_and_rounds_between_them_never_get_more_than_there_is() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(8);
    try {
      List<Future<Integer>> got = new ArrayList<>();
      for (int thread = 0; thread < 8; thread++) {
        long seed = thread;
        got.add(
            pool.submit(
                () -> {
                  Random random = new Random(seed);
                  int begun = 0;
                  for (int i = 0; i < 60; i++) {
                    Decision decision = ask("hour", true);
                    if (decision.answer() == Answer.BEGIN) {
                      boolean counts = random.nextInt(4) > 0;
                      begun += counts ? 1 : 0;
                      decision.leave().end(counts);
                    }
                    if (i % 10 == seed) {
                      throttle.round();
                    }
                  }
                  return begun;
                }));
      }
      int begun = 0;
      for (Future<Integer> one : got) {
        begun += one.get();
      }
      assertThat(begun).isEqualTo(100);
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void a_rule_has_limits_of_each_lane_and_the_account_has_its_own() {
    LaneKey slow = new LaneKey(account("hour").pk(), RULE);
    for (int i = 0; i < 3; i++) {
      throttle.ask(account("hour"), slow, QueueName.RAM, false).leave().end(true);
    }
    Decision fourth = throttle.ask(account("hour"), slow, QueueName.RAM, false);

    assertThat(fourth.answer()).isEqualTo(Answer.CONNMAXOUT);
    assertThat(fourth.scope()).isEqualTo(slow);
    assertThat(fourth.usage().window()).isEqualTo(Window.HOUR);
    assertThat(ask("hour", false).answer()).as("other domains go on").isEqualTo(Answer.BEGIN);
    assertThat(throttle.usage(slow).orElseThrow().limit()).isEqualTo(3);
    LaneKey elsewhere = new LaneKey(account("open").pk(), RULE);
    assertThat(throttle.ask(account("open"), elsewhere, QueueName.RAM, false).answer())
        .as("a lane of its own")
        .isEqualTo(Answer.BEGIN);
  }

  @Test
  void connections_of_an_account_are_counted_over_its_lanes() throws Exception {
    Account open = account("open");
    Leave first = throttle.ask(open, lane("open"), QueueName.RAM, false).leave();
    throttle.ask(open, new LaneKey(open.pk(), RULE), QueueName.DISK, false).leave();

    Decision third = throttle.ask(open, lane("open"), QueueName.RAM, false);
    assertThat(third.answer()).isEqualTo(Answer.BACKLOG);
    assertThat(third.reason()).isEqualTo(Reason.MAXCONN);
    assertThat(third.remote()).isFalse();
    assertThat(throttle.ask(open, lane("open"), QueueName.RAM, true).answer())
        .isEqualTo(Answer.CONNMAXOUT);

    CompletableFuture<Boolean> end = CompletableFuture.supplyAsync(() -> first.end(true));
    throttle.await(open, lane("open"), third);
    assertThat(end.get()).isFalse();
    assertThat(throttle.ask(open, lane("open"), QueueName.RAM, true).answer())
        .isEqualTo(Answer.BEGIN);
  }

  @Test
  void a_store_that_does_not_answer_takes_no_more_questions_than_there_may_be() throws Exception {
    throttle.close();
    boot(1);
    CompletableFuture<Decision> first;
    try (Connection writer = database.writer().getConnection()) {
      assertThat(writer.isClosed()).isFalse();
      first = CompletableFuture.supplyAsync(() -> ask("hour", false));
      await().until(() -> throttle.unacknowledged(QueueName.RAM) == 1);

      Decision second = ask("minute", false);

      assertThat(second.answer()).isEqualTo(Answer.CONNMAXOUT);
      assertThat(second.reason()).isEqualTo(Reason.MAXUNACKNOWLEDGED);
      assertThat(second.remote()).isFalse();
      assertThat(ask("open", false).answer())
          .as("who asks nothing goes on")
          .isEqualTo(Answer.BEGIN);
      assertThat(throttle.maxUnacknowledged()).isEqualTo(1);
    }
    assertThat(first.get().answer()).isEqualTo(Answer.BEGIN);
    assertThat(throttle.unacknowledged(QueueName.RAM)).isZero();
  }

  @Test
  void a_limit_that_is_set_later_counts_what_was_sent_before_under_another() throws SQLException {
    for (int i = 0; i < 4; i++) {
      begin("minute").end(true);
    }
    throttle.round();
    execute("UPDATE account SET limit_per_minute = NULL, limit_per_day = 4 WHERE id = 'minute'");
    registry.accountsChanged(database.rows("accounts"));

    assertThat(ask("minute", false).usage().window()).isEqualTo(Window.DAY);
  }

  private Decision ask(String account, boolean waited) {
    Decision decision = throttle.ask(account(account), lane(account), QueueName.RAM, waited);
    remote.addAndGet(decision.remote() ? 1 : 0);
    return decision;
  }

  private Leave begin(String account) {
    Decision decision = ask(account, false);
    assertThat(decision.answer()).as(decision.toString()).isEqualTo(Answer.BEGIN);
    return decision.leave();
  }

  private Account account(String id) {
    return registry.account("acme", id).orElseThrow();
  }

  private LaneKey lane(String account) {
    return LaneKey.of(account(account).pk());
  }

  private void account(String id, int connections, String limit, Integer most) throws SQLException {
    execute(
        "INSERT OR IGNORE INTO account (tenant_id, id, type, host, port, ttl, limit_behavior,"
            + " max_connections, max_messages_per_connection, created_at, updated_at, "
            + limit
            + ") VALUES ('acme', '"
            + id
            + "', 'relay', '127.0.0.1', 25, 300, 'defer', "
            + connections
            + ", 0, 0, 0, "
            + most
            + ")");
  }

  private void execute(String sql) throws SQLException {
    try (Connection connection = database.writer().getConnection();
        var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private long number(String sql) {
    try (Connection connection = database.reader().getConnection();
        var statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getLong(1);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
