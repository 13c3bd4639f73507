package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.throttle.RuleBook;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The suspensions as table {@code suspension} has them, in memory. One without a batch closes
 * lanes; what belongs to a suspended batch is held in the table.
 */
public final class Suspensions implements Registry.Listener {
  /** Rows that one statement moves, so that nobody else waits long for the store. */
  static final int PIECE = 1000;

  private static final long NO_RULE = -1;

  private final Database database;
  private final Registry registry;
  private final RuleBook rules;
  private final Lanes lanes;
  private final InstantSource clock;
  private volatile List<Suspension> all = List.of();
  private volatile List<Suspension> ofBatches = List.of();
  private volatile long ended;

  /**
   * Reads the table and closes the lanes that it names.
   *
   * @param clock the database's clock
   */
  public Suspensions(
      Database database, Registry registry, RuleBook rules, Lanes lanes, InstantSource clock) {
    this.database = database;
    this.registry = registry;
    this.rules = rules;
    this.lanes = lanes;
    this.clock = clock;
    reload();
    registry.listen(this);
  }

  /**
   * Takes the table as it is now: closes lanes and opens them.
   *
   * @return the lanes for which a suspension is new
   */
  public synchronized Predicate<LaneKey> reload() {
    List<Suspension> now =
        Row.all(database.rows("suspensions")).stream().map(Suspension::of).toList();
    List<Suspension> before = all;
    if (now.equals(before)) {
      return lane -> false;
    }
    all = now;
    ofBatches = now.stream().filter(s -> s.scope().batchCode() != null).toList();
    List<Suspension> added = new ArrayList<>(now);
    added.removeAll(before);
    Set<Long> kept = now.stream().map(Suspension::pk).collect(Collectors.toSet());
    List<Suspension> gone = before.stream().filter(s -> !kept.contains(s.pk())).toList();
    gone.forEach(suspension -> registry.accounts().forEach(a -> open(suspension, a)));
    now.forEach(suspension -> registry.accounts().forEach(a -> close(suspension, a)));
    if (!gone.isEmpty()) {
      ended++;
    }
    List<Scope> fresh = added.stream().map(Suspension::scope).toList();
    return lane -> fresh.stream().anyMatch(scope -> scope.covers(lane, registry, rules));
  }

  private void close(Suspension suspension, Account account) {
    if (suspension.scope().batchCode() == null && mayCover(suspension.scope(), account)) {
      LaneKey lane = lane(suspension.scope(), account);
      if (lane == null) {
        lanes.close(account.pk(), suspension.cause(), suspension.until());
      } else {
        lanes.close(lane, suspension.cause(), suspension.until());
      }
    }
  }

  private void open(Suspension suspension, Account account) {
    if (suspension.scope().batchCode() == null && mayCover(suspension.scope(), account)) {
      LaneKey lane = lane(suspension.scope(), account);
      if (lane == null) {
        lanes.open(account.pk(), suspension.cause());
      } else {
        lanes.open(lane, suspension.cause());
      }
    }
  }

  /** An account is deleted: nothing of it waits any more, all of it ends. */
  public synchronized void forget(long accountPk) {
    for (Suspension suspension : all) {
      String rule = suspension.scope().throttle();
      lanes.open(accountPk, suspension.cause());
      if (rule != null) {
        lanes.open(new LaneKey(accountPk, rules.keyOf(rule).orElse(NO_RULE)), suspension.cause());
      }
    }
    ended++;
  }

  private static boolean mayCover(Scope scope, Account account) {
    return scope.covers(account, scope.throttle() == null ? "" : scope.throttle());
  }

  /** The one lane of an account that is meant; {@code null}: all of them. */
  private @Nullable LaneKey lane(Scope scope, Account account) {
    String name = scope.throttle();
    if (name == null) {
      return null;
    }
    return new LaneKey(account.pk(), rules.keyOf(name).orElse(NO_RULE));
  }

  /** Whether mail of a batch is to be held in a lane. */
  boolean holdsBatch(LaneKey lane, @Nullable String batchCode) {
    return batchCode != null && !ofBatches.isEmpty() && batchesOf(lane).contains(batchCode);
  }

  /** Whether an attempt must not go on that has just started. */
  public boolean stop(LaneKey lane, @Nullable String batchCode) {
    return !all.isEmpty() && (holdsBatch(lane, batchCode) || lanes.isSuspended(lane));
  }

  private Set<String> batchesOf(LaneKey lane) {
    Set<String> codes = new LinkedHashSet<>();
    long now = clock.millis();
    for (Suspension suspension : ofBatches) {
      String code = suspension.scope().batchCode();
      if (code != null
          && suspension.holds(now)
          && suspension.scope().covers(lane, registry, rules)) {
        codes.add(code);
      }
    }
    return codes;
  }

  /** Parameters for {@code hold-due.sql}; {@code null}: no batch of this lane is suspended. */
  public @Nullable Map<String, Object> batches(LaneRoom order) {
    Set<String> codes = ofBatches.isEmpty() ? Set.of() : batchesOf(order.lane());
    return codes.isEmpty()
        ? null
        : Map.of(
            "tenant", lanes.tenant(order.lane()).orElse(""),
            "batches", Json.text(codes),
            "account", order.lane().accountPk(),
            "rule", order.lane().rulePk(),
            "piece", PIECE);
  }

  /**
   * The order for a claim after rows of suspended batches were held: while more of them may be
   * left, nothing is claimed.
   */
  public LaneRoom held(List<Map<String, Object>> rows, LaneRoom order) {
    return rows.size() < PIECE ? order : new LaneRoom(order.lane(), 0, order.version());
  }

  /** Grows whenever suspensions end: what they held may be free. */
  long ended() {
    return ended;
  }

  List<Suspension> all() {
    return all;
  }

  @Override
  public synchronized void added(Account account) {
    all.forEach(suspension -> close(suspension, account));
  }

  @Override
  public void gone(Account account) {} // its lanes go with it

  /** A suspension by the cause for which a lane stands still; {@code null}: it is over. */
  @Nullable Suspension byCause(String cause) {
    for (Suspension suspension : all) {
      if (suspension.cause().equals(cause)) {
        return suspension;
      }
    }
    return null;
  }

  /** What holds mail of a batch in a lane; {@code null}: nothing. */
  @Nullable Suspension ofBatch(LaneKey lane, @Nullable String batchCode) {
    for (Suspension suspension : ofBatches) {
      if (suspension.scope().batchCode() != null
          && suspension.scope().batchCode().equals(batchCode)
          && suspension.scope().covers(lane, registry, rules)) {
        return suspension;
      }
    }
    return null;
  }

  /** What is suspended under the same accounts and rules, by batch; {@code *}: all of them. */
  Map<String, Suspension> besides(Scope scope) {
    Map<String, Suspension> found = new HashMap<>();
    for (Suspension suspension : all) {
      if (suspension.scope().besides(scope)) {
        String code = suspension.scope().batchCode();
        found.put(code == null ? "*" : code, suspension);
      }
    }
    return found;
  }
}
