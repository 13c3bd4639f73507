package io.caravan.mailproxy.throttle;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.QueueName;
import io.caravan.mailproxy.throttle.Decision.Answer;
import io.caravan.mailproxy.throttle.Decision.Reason;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Decides who may begin: from the permits that this node holds where it can, else by asking the
 * ledger. Safe for any number of threads; asking waits for a commit.
 */
public final class Throttle implements AutoCloseable {
  /** What was granted goes to whoever is quickest: so often a question is asked again. */
  private static final int GRANTS_LOST_TO_OTHERS = 8;

  private final Limits limits;
  private final Ledger ledger;
  private final InstantSource clock;
  private final long backlogMillis;
  private final Questions questions;
  private volatile LongConsumer roundTrip = nanos -> {};
  private volatile LongConsumer ping = nanos -> {};

  /**
   * @param clock the database's clock
   * @param backlogMillis milliseconds that an attempt may wait in its slot ({@code
   *     throttle.backlog-wait-ms})
   * @param maxUnacknowledged questions to the ledger without an answer, of each queue; 0:
   *     calculated
   */
  public Throttle(
      Limits limits,
      Ledger ledger,
      InstantSource clock,
      long backlogMillis,
      int maxUnacknowledged) {
    this.limits = limits;
    this.ledger = ledger;
    this.clock = clock;
    this.backlogMillis = backlogMillis;
    this.questions = new Questions(maxUnacknowledged);
    ledger.onLost(() -> limits.all().forEach(Permits::forget));
  }

  /**
   * Asks for leave to begin a transaction.
   *
   * @param lane of the account that the mail goes through
   * @param waited whether it waited in the backlog already: then it is yes or no
   */
  public Decision ask(Account account, LaneKey lane, QueueName queue, boolean waited) {
    Connections connections = limits.connections(account.pk());
    if (!connections.tryOpen(account.maxConnections())) {
      return Decision.no(waited ? Answer.CONNMAXOUT : Answer.BACKLOG, Reason.MAXCONN);
    }
    List<Permits> scopes = limits.scopes(account, lane);
    if (take(scopes)) {
      return Decision.begin(new Leave(connections, scopes), false);
    }
    Decision decision = null;
    try {
      decision = withoutPermit(scopes, connections, queue, waited);
      return decision;
    } finally {
      if (decision == null || decision.answer() != Answer.BEGIN) {
        connections.close();
      }
    }
  }

  private Decision withoutPermit(
      List<Permits> scopes, Connections connections, QueueName queue, boolean waited) {
    for (Permits scope : scopes) {
      Optional<Usage> spent = scope.knownSpent(clock.millis() + backlogMillis);
      if (spent.isPresent()) {
        return Decision.spent(Answer.CONNMAXOUT, false, spent.get(), scope.scope());
      }
    }
    if (!questions.tryAsk(queue)) {
      return Decision.no(Answer.CONNMAXOUT, Reason.MAXUNACKNOWLEDGED);
    }
    long start = System.nanoTime();
    try {
      List<Ledger.State> states = List.of();
      for (int i = 0; i < GRANTS_LOST_TO_OTHERS && !isSpent(states); i++) {
        states = book(scopes, scopes.stream().map(Permits::question).toList());
        if (take(scopes)) {
          return Decision.begin(new Leave(connections, scopes), true);
        }
      }
      return refusal(scopes, states, waited);
    } finally {
      long took = System.nanoTime() - start;
      questions.answered(queue, took);
      roundTrip.accept(took);
    }
  }

  private static boolean isSpent(List<Ledger.State> states) {
    return states.stream().flatMap(state -> state.usage().stream()).anyMatch(Usage::spent);
  }

  /** The scope that frees a permit last decides. */
  private Decision refusal(List<Permits> scopes, List<Ledger.State> states, boolean waited) {
    Usage worst = null;
    LaneKey of = null;
    for (int i = 0; i < scopes.size(); i++) {
      Usage usage = states.get(i).usage().orElse(null);
      if (usage != null && (worst == null || usage.freeAt() > worst.freeAt())) {
        worst = usage;
        of = scopes.get(i).scope();
      }
    }
    if (worst == null || of == null) {
      return Decision.no(waited ? Answer.CONNMAXOUT : Answer.BACKLOG, Reason.MAXCONN);
    }
    boolean soon = !worst.certain() || worst.freeAt() - clock.millis() <= backlogMillis;
    return Decision.spent(soon && !waited ? Answer.BACKLOG : Answer.CONNMAXOUT, true, worst, of);
  }

  private static boolean take(List<Permits> scopes) {
    for (int i = 0; i < scopes.size(); i++) {
      if (!scopes.get(i).take()) {
        for (int taken = 0; taken < i; taken++) {
          scopes.get(taken).giveBack();
        }
        return false;
      }
    }
    return true;
  }

  private List<Ledger.State> book(List<Permits> scopes, List<Ledger.Entry> entries) {
    try {
      List<Ledger.State> states = ledger.book(entries);
      for (int i = 0; i < states.size(); i++) {
        scopes.get(i).booked(entries.get(i), states.get(i));
      }
      return states;
    } catch (RuntimeException e) {
      for (int i = 0; i < entries.size(); i++) {
        scopes.get(i).failed(entries.get(i));
      }
      throw e;
    }
  }

  /** Waits in the backlog until asking again is worth it, for {@code backlogMillis} at the most. */
  public void await(Account account, LaneKey lane, Decision decision) throws InterruptedException {
    Usage usage = decision.usage();
    if (usage == null) {
      limits.connections(account.pk()).await(account.maxConnections(), backlogMillis);
      return;
    }
    long most =
        usage.certain() ? Math.min(backlogMillis, usage.freeAt() - clock.millis()) : backlogMillis;
    for (Permits scope : limits.scopes(account, lane)) {
      if (scope.scope().equals(decision.scope())) {
        scope.await(Math.max(0, most));
      }
    }
  }

  /**
   * Books what ended, and sizes the blocks by what was taken lately; about once a second.
   *
   * @return whether anything was booked
   */
  public boolean round() {
    questions.measure();
    List<Permits> scopes = new ArrayList<>();
    List<Ledger.Entry> entries = new ArrayList<>();
    for (Permits scope : limits.all()) {
      scope
          .round()
          .ifPresent(
              entry -> {
                scopes.add(scope);
                entries.add(entry);
              });
    }
    if (!entries.isEmpty()) {
      book(scopes, entries);
    }
    return !entries.isEmpty();
  }

  /** A question that asks nothing, to know how long one takes. */
  public void ping() {
    long start = System.nanoTime();
    ledger.ping();
    ping.accept(System.nanoTime() - start);
  }

  /**
   * How much of a lane's limits is used, its account's included; asks the ledger.
   *
   * @return the one that holds back longest; empty: it has none
   */
  public Optional<Usage> usage(LaneKey lane) {
    Usage worst = null;
    for (LaneKey scope : List.of(LaneKey.of(lane.accountPk()), lane)) {
      Usage usage = usageOf(scope).orElse(null);
      if (usage != null && (worst == null || usage.freeAt() > worst.freeAt())) {
        worst = usage;
      }
    }
    return Optional.ofNullable(worst);
  }

  /** The scopes that can begin nothing now, and why; asks the ledger. */
  public Map<LaneKey, Usage> spent() {
    Map<LaneKey, Usage> spent =
        new TreeMap<>(
            java.util.Comparator.comparingLong(LaneKey::accountPk)
                .thenComparingLong(LaneKey::rulePk));
    for (LaneKey scope : ledger.scopes()) {
      usageOf(scope).filter(Usage::spent).ifPresent(usage -> spent.put(scope, usage));
    }
    return spent;
  }

  private Optional<Usage> usageOf(LaneKey scope) {
    @Nullable Permits permits = limits.scope(scope).orElse(null);
    return permits == null
        ? Optional.empty()
        : book(List.of(permits), List.of(permits.look())).get(0).usage();
  }

  /** Questions of a queue that have no answer yet. */
  public int unacknowledged(QueueName queue) {
    return questions.inFlight(queue);
  }

  /** How many there may be of a queue. */
  public int maxUnacknowledged() {
    return questions.max();
  }

  /** Calls back with the nanoseconds of each question and of each ping. */
  public void onAnswer(LongConsumer ofQuestion, LongConsumer ofPing) {
    roundTrip = ofQuestion;
    ping = ofPing;
  }

  /** Gives back what is not used. */
  @Override
  public void close() {
    List<Permits> scopes = List.copyOf(limits.all());
    if (!scopes.isEmpty()) {
      book(scopes, scopes.stream().map(Permits::last).toList());
    }
  }
}
