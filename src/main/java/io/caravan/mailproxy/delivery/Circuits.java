package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Health;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.queue.Lanes;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/**
 * The health of relay accounts. An account that could not be connected to, or refused its log-in,
 * {@code circuit.failures} times in a row gets no mail for {@code circuit.probe-seconds}; then one
 * attempt tries. Meanwhile its failover account takes the mail; where there is none that works, the
 * lanes of the account stand still.
 *
 * <p>Only accounts in trouble are remembered here, in memory: after a start all are taken for well.
 */
public final class Circuits {
  /** The cause in {@link Lanes} for which lanes stand still. */
  static final String CAUSE = "circuit";

  /** The cause where that is because no loaded key opens the password of the account. */
  private static final String LOCKED = CAUSE + "-locked";

  /** Exchange property of an attempt that goes back unspent. */
  static final String HELD = "held";

  private static final int MAX_UNTOLD = 1000;

  private final Directory directory;
  private final Lanes lanes;
  private final InstantSource clock;
  private final int failures;
  private final long probeMillis;
  private final long startedAt;
  private final Map<Long, Circuit> circuits = new ConcurrentHashMap<>();
  private final Map<Long, Long> wellSince = new ConcurrentHashMap<>();
  private final Deque<Health> untold = new ArrayDeque<>();
  private volatile long lastRound = System.nanoTime();

  /**
   * All closed.
   *
   * @param clock the database's clock
   * @param failures in a row after which a circuit opens, 1 and more
   * @param probeSeconds after which one attempt tries, 1 and more
   * @throws IllegalArgumentException a number below 1
   */
  public Circuits(
      Directory directory, Lanes lanes, InstantSource clock, int failures, long probeSeconds) {
    if (failures < 1 || probeSeconds < 1) {
      throw new IllegalArgumentException(
          "circuit.failures and circuit.probe-seconds must be 1 or more");
    }
    this.directory = directory;
    this.lanes = lanes;
    this.clock = clock;
    this.failures = failures;
    this.probeMillis = probeSeconds * 1000;
    this.startedAt = clock.millis();
    directory.locked().forEach((pk, why) -> directory.account(pk).ifPresent(a -> lock(a, why)));
    settleLanes();
  }

  private void lock(Account account, String why) {
    Circuit circuit = new Circuit(account, failures, probeMillis);
    circuit.lock(why, startedAt);
    circuits.put(account.pk(), circuit);
    tell(circuit.cause());
  }

  // an attempt begins

  /**
   * The account that the attempt goes through: the one wanted, or its failover account while the
   * circuit of the first is open.
   *
   * @throws CircuitOpenException neither takes mail now; the attempt is marked to go back
   */
  Account choose(Attempt attempt, Account wanted) throws CircuitOpenException {
    if (!circuits.containsKey(wanted.pk())) {
      return wanted;
    }
    synchronized (this) {
      long now = clock.millis();
      if (enter(attempt, wanted, now)) {
        return wanted;
      }
      Optional<Account> second = failover(wanted).filter(a -> enter(attempt, a, now));
      if (second.isPresent()) {
        return second.get();
      }
      attempt.hold(delay(attempt, wanted, now));
      throw new CircuitOpenException(wanted);
    }
  }

  private boolean enter(Attempt attempt, Account account, long now) {
    Circuit circuit = circuits.get(account.pk());
    return circuit == null || circuit.enter(attempt, now);
  }

  private Optional<Account> failover(Account account) {
    String id = account.failoverAccountId();
    return id == null
        ? Optional.empty()
        : directory.account(account.tenantId(), id).filter(a -> a.pk() != account.pk());
  }

  /** The lane stands still until it goes on, unless it is another account's lane. */
  private long delay(Attempt attempt, Account account, long now) {
    Circuit circuit = circuits.get(account.pk());
    boolean own = attempt.getDelivery().accountPk() == account.pk();
    return own || circuit == null ? 0 : Math.max(1000, circuit.untilProbe(now));
  }

  // an attempt ends

  /**
   * Takes what the answers of an attempt say of its account. An attempt that got no session from an
   * account whose circuit was open by then is marked to go back.
   */
  public void heard(Exchange exchange) {
    Attempt attempt = exchange.getProperty(Attempt.PROPERTY, Attempt.class);
    Account account = attempt.getAccount();
    List<Answer> answers = attempt.answers();
    if (account == null || account.type() != Account.Type.RELAY || answers.isEmpty()) {
      return;
    }
    Health.State said = said(answers);
    if (said == Health.State.OK) {
      if (circuits.containsKey(account.pk())) {
        end(account.pk());
      }
    } else if (said != null && isInForce(account)) {
      if (!failed(attempt, account, said, answers.get(0).said())) {
        exchange.setProperty(HELD, true);
      }
    } else {
      undecided(attempt, account, clock.millis() + probeMillis);
    }
  }

  /** {@code null}: nothing about the account. */
  private static Health.@Nullable State said(List<Answer> answers) {
    Answer first = answers.get(0);
    if (first.kind() == Kind.ACCEPTED) {
      return Health.State.OK;
    }
    if (answers.stream().anyMatch(ReplyTable::logIn)) {
      return Health.State.AUTH_FAILED;
    }
    if (answers.stream().anyMatch(answer -> answer.phase().compareTo(Phase.MAIL) >= 0)) {
      return Health.State.OK;
    }
    boolean refused =
        first.kind() == Kind.UNREACHABLE
            || first.kind() == Kind.ACCOUNT
            || (first.phase() == Phase.CONNECT && first.code() >= 400);
    return first.phase() != Phase.COMPOSE && refused ? Health.State.REFUSED : null;
  }

  private boolean isInForce(Account account) {
    return directory
        .account(account.pk())
        .filter(now -> now.revision() == account.revision())
        .isPresent();
  }

  /** Whether it counted; else the circuit was open already. */
  private synchronized boolean failed(
      Attempt attempt, Account account, Health.State kind, String text) {
    long now = clock.millis();
    Circuit circuit =
        circuits.computeIfAbsent(account.pk(), pk -> new Circuit(account, failures, probeMillis));
    boolean counted = circuit.failed(attempt, kind, text, now);
    if (!counted) {
      attempt.hold(delay(attempt, account, now));
    } else if (circuit.isOpen() && circuit.told != kind) {
      circuit.told = kind;
      tell(circuit.cause());
    }
    settleLanes();
    return counted;
  }

  /** The attempt is over; if it was to try and no answer told anything, another will try. */
  void ended(Attempt attempt) {
    Account account = attempt.getAccount();
    if (account != null && circuits.containsKey(account.pk())) {
      undecided(attempt, account, clock.millis());
    }
  }

  private synchronized void undecided(Attempt attempt, Account account, long nextProbe) {
    Circuit circuit = circuits.get(account.pk());
    if (circuit != null) {
      circuit.undecided(attempt, nextProbe);
    }
  }

  private synchronized void end(long accountPk) {
    Circuit circuit = circuits.remove(accountPk);
    if (circuit != null) {
      lanes.open(accountPk, causeOf(circuit));
      if (circuit.told != Health.State.OK && directory.account(accountPk).isPresent()) {
        wellSince.put(accountPk, clock.millis());
        tell(well(circuit.account()));
      }
      settleLanes();
    }
  }

  private Health well(Account account) {
    long since = wellSince.getOrDefault(account.pk(), startedAt);
    return new Health(account, Health.State.OK, null, since, null);
  }

  /** Bounded, as nobody asks where the route that does is switched off. */
  private void tell(Health health) {
    if (untold.size() >= MAX_UNTOLD) {
      untold.removeFirst();
    }
    untold.addLast(health);
  }

  /** An account whose failover account works goes on; all others that are open stand still. */
  private void settleLanes() {
    for (Circuit circuit : circuits.values()) {
      boolean closed = circuit.isOpen() && !hasOtherWay(circuit.account());
      if (closed && !circuit.lanesClosed) {
        lanes.close(circuit.account().pk(), causeOf(circuit), Long.MAX_VALUE);
      } else if (!closed && circuit.lanesClosed) {
        lanes.open(circuit.account().pk(), causeOf(circuit));
      }
      circuit.lanesClosed = closed;
    }
  }

  private static String causeOf(Circuit circuit) {
    return circuit.isLocked() ? LOCKED : CAUSE;
  }

  private boolean hasOtherWay(Account account) {
    Optional<Account> second = failover(account);
    Circuit circuit = second.map(a -> circuits.get(a.pk())).orElse(null);
    return second.isPresent() && (circuit == null || !circuit.isOpen());
  }

  // steps of other routes

  /** Rows of table {@code account} that were written or deleted: they start anew. */
  public void accountsChanged(List<Map<String, Object>> rows) {
    for (Row row : Row.all(rows)) {
      end(row.number("pk"));
    }
  }

  /**
   * A round, to be made every second: lets one delivery try where it is time.
   *
   * @return accounts that came into trouble or out of it since the last round
   */
  public synchronized List<Health> look() {
    lastRound = System.nanoTime();
    settleLanes();
    long now = clock.millis();
    for (Circuit circuit : circuits.values()) {
      Circuit second = failover(circuit.account()).map(a -> circuits.get(a.pk())).orElse(null);
      boolean due = circuit.wantsProbe(now) || (second != null && second.wantsProbe(now));
      if (circuit.lanesClosed && due) {
        lanes.probe(circuit.account().pk(), causeOf(circuit));
      }
    }
    List<Health> told = List.copyOf(untold);
    untold.clear();
    return told;
  }

  /** Seconds since the last round began. */
  public double secondsSinceRound() {
    return (System.nanoTime() - lastRound) / 1e9;
  }

  /** Adds {@code health} to each account of an answer to {@code GET /accounts}. */
  public void health(Map<String, Object> answer) {
    if (answer.get("accounts") instanceof List<?> accounts) {
      accounts.forEach(account -> addHealth((Map<?, ?>) account));
    }
  }

  @SuppressWarnings("unchecked")
  private void addHealth(Map<?, ?> account) {
    directory
        .account(String.valueOf(account.get("tenant_id")), String.valueOf(account.get("id")))
        .ifPresent(known -> ((Map<String, Object>) account).put("health", health(known).told()));
  }

  /** How an account stands with its relay. */
  public synchronized Health health(Account account) {
    Circuit circuit = circuits.get(account.pk());
    return circuit != null && circuit.isOpen() ? circuit.health(clock.millis()) : well(account);
  }
}
