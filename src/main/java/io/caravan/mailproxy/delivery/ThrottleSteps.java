package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.Settled;
import io.caravan.mailproxy.message.Verdict;
import io.caravan.mailproxy.queue.Lanes;
import io.caravan.mailproxy.queue.Outbox;
import io.caravan.mailproxy.throttle.Decision;
import io.caravan.mailproxy.throttle.RuleBook;
import io.caravan.mailproxy.throttle.Throttle;
import io.caravan.mailproxy.throttle.ThrottleRule;
import io.caravan.mailproxy.throttle.Usage;
import java.time.InstantSource;
import java.util.function.LongPredicate;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/** The steps of {@code throttle.camel.yaml}: leave for an attempt, and what a refusal means. */
public final class ThrottleSteps {
  /** Exchange property with the throttle's answer: begin, backlog or connmaxout. */
  public static final String ANSWER = "throttle";

  /** Exchange property with what a refusal means: defer, reject or later. */
  public static final String REFUSAL = "refusal";

  private static final String CAUSE = "limit:";
  private static final long LATER_MILLIS = 1_000;

  private final Throttle throttle;
  private final Lanes lanes;
  private final Outbox outbox;
  private final RuleBook rules;
  private final InstantSource clock;
  private boolean labelled;

  /**
   * Closes the lanes whose limits are spent already.
   *
   * @param clock the database's clock
   */
  public ThrottleSteps(
      Throttle throttle,
      Lanes lanes,
      Outbox outbox,
      RuleBook rules,
      Registry registry,
      InstantSource clock) {
    this.throttle = throttle;
    this.lanes = lanes;
    this.outbox = outbox;
    this.rules = rules;
    this.clock = clock;
    throttle.spent().forEach(this::close);
    registry.listen(
        new Registry.Listener() {
          @Override
          public void added(Account account) {
            review(pk -> pk == account.pk());
          }

          @Override
          public void gone(Account account) {} // its lanes end with it
        });
  }

  /**
   * Whether accounts of relays are labelled with the throttle rule too ({@code
   * telemetry.throttle-label}); those of type mx always are.
   *
   * @throws IllegalArgumentException neither {@code default} nor {@code rule}
   */
  public void setLabel(String label) {
    if (!label.equals("default") && !label.equals("rule")) {
      throw new IllegalArgumentException("telemetry.throttle-label must be default or rule");
    }
    labelled = label.equals("rule");
  }

  /** Asks; the answer stands in property {@value #ANSWER}. */
  public void ask(Exchange exchange) {
    Attempt attempt = attempt(exchange);
    Account account = attempt.chosen();
    LaneKey lane = lane(attempt, account);
    Decision before = attempt.decision();
    Slot slot = attempt.slot();
    slot.move(Slot.State.UNACKNOWLEDGED);
    Decision decision = throttle.ask(account, lane, slot.queue(), before != null);
    attempt.decide(decision, label(account, lane));
    if (decision.remote()) {
      lanes.moved();
    }
    switch (decision.answer()) {
      case BEGIN -> slot.deliver(account.id(), attempt.getThrottleName());
      case BACKLOG -> slot.move(Slot.State.ACKNOWLEDGED);
      case CONNMAXOUT -> exchange.setProperty(REFUSAL, refusal(account, decision));
    }
    exchange.setProperty(ANSWER, decision.answer().label());
  }

  private static String refusal(Account account, Decision decision) {
    if (decision.usage() == null) {
      return "later";
    }
    boolean ofAccount = LaneKey.of(account.pk()).equals(decision.scope());
    return ofAccount && account.quota().rejects() ? "reject" : "defer";
  }

  /** Waits in the backlog, until it is worth asking again. */
  public void await(Exchange exchange) throws InterruptedException {
    Attempt attempt = attempt(exchange);
    Account account = attempt.chosen();
    Decision decision = attempt.decision();
    if (decision != null) {
      throttle.await(account, lane(attempt, account), decision);
    }
  }

  /** The window is spent: the delivery waits for the moment at which there is a permit. */
  public Settled defer(Exchange exchange) {
    Attempt attempt = attempt(exchange);
    Decision decision = attempt.decision();
    Usage usage = decision == null ? null : decision.usage();
    LaneKey scope = decision == null ? null : decision.scope();
    if (usage == null || scope == null) {
      throw new IllegalStateException("no limit refused this attempt");
    }
    close(scope, usage);
    boolean inPlace = attempt.getDelivery().accountPk() == scope.accountPk();
    return postpone(exchange, attempt, usage.freeAt(), inPlace, "rate_limit");
  }

  /** No place for now: the delivery goes back for a second. */
  public Settled later(Exchange exchange) {
    return postpone(exchange, attempt(exchange), clock.millis() + LATER_MILLIS, false, null);
  }

  private Settled postpone(
      Exchange exchange, Attempt attempt, long until, boolean inPlace, @Nullable String why) {
    attempt.slot().move(Slot.State.DISKWAIT);
    Delivery delivery = attempt.getDelivery();
    Settled settled = outbox.postpone(delivery, attempt.getAccountId(), until, inPlace, why);
    attempt.settled(settled);
    attempt.close();
    return Attempts.recorded(exchange, attempt, settled);
  }

  /** The window is spent, and the account wants no waiting: the mail ends with an error. */
  public void reject(Exchange exchange) {
    attempt(exchange).end(Verdict.Fate.FAILED, Answer.RATE_LIMITED);
  }

  /** The attempt is over at the relay: what it holds is free, or counts. */
  void end(Attempt attempt) {
    Decision decision = attempt.decision();
    if (decision != null && decision.leave() != null && decision.leave().end(reached(attempt))) {
      lanes.lift(pk -> pk == attempt.chosen().pk(), CAUSE);
    }
  }

  /** Before the body began nothing was handed over, unless a sender without phases says so. */
  private static boolean reached(Attempt attempt) {
    OutgoingMail mail = attempt.mail();
    return mail != null
        && (mail.phase().compareTo(Phase.BODY) >= 0
            || attempt.answers().stream().anyMatch(a -> a.kind() == Answer.Kind.ACCEPTED));
  }

  /** Books and sizes the blocks of permits. */
  public void round() {
    if (throttle.round()) {
      lanes.moved();
    }
  }

  /** A round trip that asks nothing. */
  public void ping() {
    throttle.ping();
  }

  /** Rules changed: who waits for a limit that is no more may go on. */
  public void rulesChanged() {
    review(pk -> true);
  }

  private void review(LongPredicate accounts) {
    if (lanes.lift(accounts, CAUSE)) {
      throttle
          .spent()
          .forEach(
              (scope, usage) -> {
                if (accounts.test(scope.accountPk())) {
                  close(scope, usage);
                }
              });
    }
  }

  private void close(LaneKey scope, Usage usage) {
    String cause = CAUSE + usage.window().label();
    if (scope.rulePk() == LaneKey.DEFAULT_RULE) {
      lanes.close(scope.accountPk(), cause, usage.freeAt());
    } else {
      lanes.close(scope, cause, usage.freeAt());
    }
  }

  private static LaneKey lane(Attempt attempt, Account account) {
    LaneKey lane = attempt.getDelivery().lane();
    return lane.accountPk() == account.pk() ? lane : new LaneKey(account.pk(), lane.rulePk());
  }

  /** Relays have no throttles of their own (second seed): all of theirs are the default. */
  private String label(Account account, LaneKey lane) {
    return lane.rulePk() != LaneKey.DEFAULT_RULE && (labelled || account.type() == Account.Type.MX)
        ? rules.rule(lane.rulePk()).map(ThrottleRule::name).orElse(ThrottleRule.DEFAULT_NAME)
        : ThrottleRule.DEFAULT_NAME;
  }

  private static Attempt attempt(Exchange exchange) {
    return exchange.getProperty(Attempt.PROPERTY, Attempt.class);
  }
}
