package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Health;
import io.caravan.mailproxy.queue.Lanes;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.Exchange;

/**
 * The health of relay accounts. An account that could not be connected to, or refused its log-in,
 * {@code circuit.failures} times in a row gets no mail for {@code circuit.probe-seconds}; then one
 * attempt tries. Meanwhile its failover account takes the mail; where there is none that works, the
 * lanes of the account stand still.
 *
 * <p>Only accounts in trouble are remembered here, in memory: after a start all are taken for well,
 * unless other nodes know better ({@link SharedCircuits}).
 */
public final class Circuits {
  /** Exchange property of an attempt that goes back unspent. */
  static final String HELD = "held";

  /** Exchange property of an attempt that tries for all nodes, if they have nothing against it. */
  static final String TRIAL = "trial";

  private final Directory directory;
  private final InstantSource clock;
  private final long probeMillis;
  private final CircuitTable table;
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
    this.clock = clock;
    this.probeMillis = probeSeconds * 1000;
    this.table = new CircuitTable(directory, lanes, clock, failures, probeMillis);
    synchronized (table) {
      directory.locked().keySet().forEach(this::lockWhereLocked);
      table.settleLanes();
    }
  }

  /** What other nodes have a part in; it is its own lock. */
  CircuitTable table() {
    return table;
  }

  /** Milliseconds for which one node may try before another does. */
  long probeMillis() {
    return probeMillis;
  }

  // an attempt begins

  /**
   * The account that the attempt goes through: the one wanted, or its failover account while the
   * circuit of the first is open.
   *
   * @throws CircuitOpenException neither takes mail now; the attempt is marked to go back
   */
  Account choose(Attempt attempt, Account wanted) throws CircuitOpenException {
    if (!table.has(wanted.pk()) && !directory.isLocked(wanted.pk())) {
      return wanted;
    }
    synchronized (table) {
      long now = clock.millis();
      if (enter(attempt, wanted, now)) {
        return wanted;
      }
      Optional<Account> second = table.failover(wanted).filter(a -> enter(attempt, a, now));
      if (second.isPresent()) {
        return second.get();
      }
      throw refused(attempt, wanted);
    }
  }

  private boolean enter(Attempt attempt, Account account, long now) {
    table.lockWhereLocked(account);
    Circuit circuit = table.get(account.pk());
    return circuit == null || circuit.enter(attempt, now);
  }

  /** The attempt goes back. */
  CircuitOpenException refused(Attempt attempt, Account account) {
    attempt.hold(delay(attempt, account, clock.millis()));
    return new CircuitOpenException(account);
  }

  /** The lane stands still until it goes on, unless it is another account's lane. */
  private long delay(Attempt attempt, Account account, long now) {
    Circuit circuit = table.get(account.pk());
    boolean own = attempt.getDelivery().accountPk() == account.pk();
    return own || circuit == null ? 0 : Math.max(1000, circuit.untilProbe(now));
  }

  /** Whether the attempt is to try for all nodes, and they have to be asked. */
  boolean isTrial(Attempt attempt, Account account) {
    if (!table.has(account.pk())) {
      return false;
    }
    synchronized (table) {
      Circuit circuit = table.get(account.pk());
      return table.isShared() && circuit != null && circuit.isTrial(attempt);
    }
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
    Health.State said = AccountSigns.said(answers);
    if (said == Health.State.OK) {
      end(account.pk());
    } else if (said != null && isInForce(account)) {
      if (!failed(attempt, account, said, answers.get(0).said())) {
        exchange.setProperty(HELD, true);
      }
    } else {
      undecided(attempt, account, clock.millis() + probeMillis);
    }
  }

  private void end(long accountPk) {
    if (table.has(accountPk)) {
      synchronized (table) {
        table.end(accountPk);
      }
    }
  }

  private boolean isInForce(Account account) {
    return directory
        .account(account.pk())
        .filter(now -> now.revision() == account.revision())
        .isPresent();
  }

  /** Whether it counted; else the circuit was open already. */
  private boolean failed(Attempt attempt, Account account, Health.State kind, String text) {
    synchronized (table) {
      long now = clock.millis();
      Circuit circuit = table.of(account);
      boolean counted = circuit.failed(attempt, kind, text, now);
      if (!counted) {
        attempt.hold(delay(attempt, account, now));
      } else if (circuit.isOpen() && circuit.told != kind) {
        circuit.told = kind;
        table.worse(circuit);
      }
      table.settleLanes();
      return counted;
    }
  }

  /** The attempt is over; if it was to try and no answer told anything, another will try. */
  void ended(Attempt attempt) {
    Account account = attempt.getAccount();
    if (account != null && table.has(account.pk())) {
      undecided(attempt, account, clock.millis());
    }
  }

  private void undecided(Attempt attempt, Account account, long nextProbe) {
    synchronized (table) {
      Circuit circuit = table.get(account.pk());
      if (circuit != null) {
        circuit.undecided(attempt, nextProbe);
      }
    }
  }

  // steps of other routes

  /** Rows of table {@code account} that were written or deleted: they start anew. */
  public void accountsChanged(List<Map<String, Object>> rows) {
    for (Row row : Row.all(rows)) {
      long pk = row.number("pk");
      end(pk);
      if (directory.isLocked(pk)) {
        synchronized (table) {
          lockWhereLocked(pk);
          table.settleLanes();
        }
      }
    }
  }

  private void lockWhereLocked(long accountPk) {
    directory.account(accountPk).ifPresent(table::lockWhereLocked);
  }

  /**
   * A round, to be made every second: lets one delivery try where it is time.
   *
   * @return accounts that came into trouble or out of it since the last round
   */
  public List<Health> look() {
    lastRound = System.nanoTime();
    synchronized (table) {
      table.settleLanes();
      table.letTry(clock.millis());
      return table.told();
    }
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
  public Health health(Account account) {
    synchronized (table) {
      return table.health(account);
    }
  }
}
