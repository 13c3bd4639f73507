package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Health;
import io.caravan.mailproxy.queue.Lanes;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The circuits of accounts in trouble, the lanes that stand still for them, and what is to be told
 * of them. All but {@link #has} wants the lock of this object.
 */
final class CircuitTable {
  /** The cause in {@link Lanes} for which lanes stand still. */
  private static final String CAUSE = "circuit";

  /** The cause where that is because no loaded key opens the password of the account. */
  private static final String LOCKED = CAUSE + "-locked";

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
  private final List<CircuitWrite> endings = new ArrayList<>();
  private boolean shared;

  CircuitTable(
      Directory directory, Lanes lanes, InstantSource clock, int failures, long probeMillis) {
    this.directory = directory;
    this.lanes = lanes;
    this.clock = clock;
    this.failures = failures;
    this.probeMillis = probeMillis;
    this.startedAt = clock.millis();
  }

  /** From now on other nodes hear of what changes, and it is told by the one that was first. */
  void share() {
    shared = true;
  }

  boolean isShared() {
    return shared;
  }

  /** Without the lock. */
  boolean has(long accountPk) {
    return circuits.containsKey(accountPk);
  }

  @Nullable Circuit get(long accountPk) {
    return circuits.get(accountPk);
  }

  Collection<Circuit> all() {
    return circuits.values();
  }

  /** The one that there is, or a new one. */
  Circuit of(Account account) {
    return circuits.computeIfAbsent(
        account.pk(), pk -> new Circuit(account, failures, probeMillis));
  }

  /** Stops an account whose password no loaded key opens: without it, mail went unauthenticated. */
  void lockWhereLocked(Account account) {
    String why = directory.locked().get(account.pk());
    Circuit circuit = circuits.get(account.pk());
    if (why != null && (circuit == null || !circuit.isLocked())) {
      circuit = of(account);
      circuit.lock(why, clock.millis());
      tell(circuit.cause());
    }
  }

  /** It is open for another reason than was told last. */
  void worse(Circuit circuit) {
    if (shared) {
      circuit.news = circuit.cause();
    } else {
      tell(circuit.cause());
    }
  }

  /** The account is well, as an attempt found, or is another now: it starts anew. */
  void end(long accountPk) {
    Circuit circuit = circuits.get(accountPk);
    if (circuit == null) {
      return;
    }
    boolean toldIll = circuit.told != Health.State.OK;
    forget(circuit);
    Health news =
        toldIll && directory.account(accountPk).isPresent() ? well(circuit.account()) : null;
    if (shared && circuit.isOpen() && !circuit.isLocked()) {
      endings.add(new CircuitWrite(circuit, null, news));
    } else if (news != null) {
      tell(news);
    }
  }

  /** It is over, and who ended it tells so. */
  void forget(Circuit circuit) {
    Account account = circuit.account();
    circuits.remove(account.pk());
    lanes.open(account.pk(), causeOf(circuit));
    if (directory.account(account.pk()).isPresent()) {
      wellSince.put(account.pk(), clock.millis());
    } else {
      wellSince.remove(account.pk());
    }
    settleLanes();
  }

  /** Ends that other nodes have not heard of. */
  List<CircuitWrite> endings() {
    return endings;
  }

  private Health well(Account account) {
    long since = wellSince.getOrDefault(account.pk(), startedAt);
    return new Health(account, Health.State.OK, null, since, null);
  }

  Health health(Account account) {
    Circuit circuit = circuits.get(account.pk());
    return circuit != null && circuit.isOpen() ? circuit.health(clock.millis()) : well(account);
  }

  /** Bounded, as nobody asks where the route that does is switched off. */
  private void tell(Health health) {
    if (untold.size() >= MAX_UNTOLD) {
      untold.removeFirst();
    }
    untold.addLast(health);
  }

  /** What is to be told since this was asked last. */
  List<Health> told() {
    List<Health> told = List.copyOf(untold);
    untold.clear();
    return told;
  }

  /** An account whose failover account works goes on; all others that are open stand still. */
  void settleLanes() {
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

  /** Where it is time, one delivery may try. */
  void letTry(long now) {
    for (Circuit circuit : circuits.values()) {
      Circuit second = failover(circuit.account()).map(a -> circuits.get(a.pk())).orElse(null);
      boolean due = circuit.wantsProbe(now) || (second != null && second.wantsProbe(now));
      if (circuit.lanesClosed && due) {
        lanes.probe(circuit.account().pk(), causeOf(circuit));
      }
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

  Optional<Account> failover(Account account) {
    String id = account.failoverAccountId();
    return id == null
        ? Optional.empty()
        : directory.account(account.tenantId(), id).filter(a -> a.pk() != account.pk());
  }
}
