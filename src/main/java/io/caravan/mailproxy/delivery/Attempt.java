package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.AttemptResult;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.Recipient;
import io.caravan.mailproxy.message.Settled;
import io.caravan.mailproxy.message.Verdict;
import io.caravan.mailproxy.throttle.Decision;
import io.caravan.mailproxy.throttle.ThrottleRule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One try of one delivery, the exchange property {@code attempt} from its begin to its record. Its
 * getters are for Simple in routes.
 */
public final class Attempt {
  /** Exchange property that holds it. */
  public static final String PROPERTY = "attempt";

  private static final long UNJUDGED_DELAY_MILLIS = 60_000;

  private final long begunAt = System.nanoTime();
  private final Slot slot;
  private Delivery delivery;
  private @Nullable Account account;
  private @Nullable Decision decision;
  private String throttle = ThrottleRule.DEFAULT_NAME;
  private @Nullable OutgoingMail mail;
  private List<Answer> answers = List.of();
  private final Map<Recipient, Verdict> verdicts = new HashMap<>();
  private boolean lastTry;
  private @Nullable Settled settled;
  private long heldMillis;
  private final String usualOnUncertain;
  private boolean connected = true;
  private boolean open = true;

  /**
   * @param holds whether the account of its lane holds what is uncertain
   */
  Attempt(Delivery delivery, Slot slot, boolean holds) {
    this.delivery = delivery;
    this.slot = slot;
    this.usualOnUncertain = holds ? "hold" : "retry";
  }

  Slot slot() {
    return slot;
  }

  /** Milliseconds since it began. */
  public long millis() {
    return nanos() / 1_000_000;
  }

  /** Nanoseconds since it began. */
  public long nanos() {
    return System.nanoTime() - begunAt;
  }

  /** The attempt counts as ended: its slot counts as free. */
  public void counted() {
    slot.move(Slot.State.FREE);
  }

  public Delivery getDelivery() {
    return delivery;
  }

  void take(Delivery read) {
    delivery = read;
  }

  /** Whether the message is still to be read from the store. */
  public boolean isUnread() {
    return delivery.message() == null;
  }

  /** The client's id of the message; its key in the store until it was read. */
  public String getId() {
    Message message = delivery.message();
    return message == null ? Long.toString(delivery.messagePk()) : message.id();
  }

  public String getTenantId() {
    return delivery.tenantId();
  }

  /** The account it goes through; before that is chosen, the one the client named. */
  public String getAccountId() {
    return account == null ? delivery.loaded().accountId() : account.id();
  }

  /** 1 for the first attempt. */
  public int getNumber() {
    return delivery.attempts() + 1;
  }

  /** The queue whose slot it has: {@code ram}, {@code disk} or {@code bounce}. */
  public String getQueueName() {
    return slot.queue().label();
  }

  public @Nullable Account getAccount() {
    return account;
  }

  void choose(Account chosen) {
    account = chosen;
  }

  /** The account, once it was chosen. */
  Account chosen() {
    if (account == null) {
      throw new IllegalStateException("no account was chosen");
    }
    return account;
  }

  /** What the throttle said last; {@code null}: it was not asked. */
  public @Nullable Decision decision() {
    return decision;
  }

  void decide(Decision now, String label) {
    decision = now;
    throttle = label;
  }

  /** Label of the throttle rule it goes under. */
  public String getThrottleName() {
    return throttle;
  }

  /** The mail, once it is composed. */
  public @Nullable OutgoingMail mail() {
    return mail;
  }

  void compose(OutgoingMail composed) {
    mail = composed;
  }

  void judge(Answer answer, Verdict.Fate fate, @Nullable Long delayMillis, String reason) {
    verdicts.put(answer.recipient(), new Verdict(answer, fate, delayMillis, reason));
  }

  /** Ends for all its recipients alike, before anything is said to a relay. */
  void end(Verdict.Fate fate, String text) {
    List<Answer> all = new ArrayList<>();
    for (Recipient recipient : delivery.recipients()) {
      Answer answer = new Answer(recipient, Answer.Kind.PERMANENT, 0, null, text, Phase.COMPOSE);
      all.add(answer);
      judge(answer, fate, null, text);
    }
    answers = List.copyOf(all);
  }

  /** A recipient would have been tried again, had there not been enough attempts already. */
  void exhausted() {
    lastTry = true;
  }

  void settled(Settled recorded) {
    settled = recorded;
  }

  /**
   * The documented result under which it is counted, once it is recorded: a deferral also where
   * none follows (telemetry.md 5, R23), or where it is held; {@code connmaxout} where the throttle
   * gave no leave; {@code unknown_report_code} where someone else had recorded a result before.
   */
  public String getCountedName() {
    Settled recorded = settled;
    if (recorded == null || recorded.result() == Settled.Result.LATE) {
      return "unknown_report_code";
    }
    if (decision != null && decision.answer() == Decision.Answer.CONNMAXOUT) {
      return "connmaxout";
    }
    return lastTry || recorded.result() == Settled.Result.HELD
        ? "deferral"
        : recorded.getResultName();
  }

  void answered(List<Answer> all) {
    answers = all;
  }

  /** One for each recipient; empty before there are any. */
  public List<Answer> answers() {
    return answers;
  }

  /**
   * It cannot be made now: it is to go back unspent.
   *
   * @param millis milliseconds after which it is due again
   */
  void hold(long millis) {
    heldMillis = millis;
  }

  long heldMillis() {
    return heldMillis;
  }

  /** Whether nobody knows of a recipient whether it has the mail. */
  public boolean isUncertain() {
    return answers.stream().anyMatch(answer -> answer.kind() == Answer.Kind.UNCERTAIN);
  }

  AttemptResult result() {
    return new AttemptResult(
        delivery, getAccountId(), answers.stream().map(this::verdict).toList());
  }

  /**
   * Who was accepted has the mail. Of anyone else, what the retry policy said; where it said
   * nothing, another attempt follows.
   */
  private Verdict verdict(Answer answer) {
    Verdict verdict = verdicts.get(answer.recipient());
    if (verdict != null) {
      return verdict;
    }
    return answer.kind() == Answer.Kind.ACCEPTED
        ? new Verdict(answer, Verdict.Fate.SENT, null, answer.said())
        : new Verdict(answer, Verdict.Fate.DEFERRED, UNJUDGED_DELAY_MILLIS, answer.said());
  }

  /**
   * What becomes of a recipient who perhaps has the mail: {@code retry} or {@code hold}, as the
   * message says, else the account of its lane.
   */
  public String getOnUncertain() {
    Message message = delivery.message();
    String own = message == null ? null : message.onUncertain();
    return own == null ? usualOnUncertain : own;
  }

  /** Whether it still holds its lane's leave to connect; asked once. */
  boolean disconnect() {
    boolean was = connected;
    connected = false;
    return was;
  }

  /** Whether nothing stands in the store yet of how it ended; asked once. */
  boolean close() {
    boolean was = open;
    open = false;
    return was;
  }
}
