package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.AttemptResult;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.QueueName;
import io.caravan.mailproxy.message.Settled;
import io.caravan.mailproxy.queue.Lanes;
import io.caravan.mailproxy.queue.Outbox;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** The steps of {@code deliver-message}, in the order of the route. */
public final class Attempts {
  /** Exchange property with the name of the queue, where it is not by the number of attempts. */
  public static final String QUEUE = "queue";

  /** Exchange property a route may set to the id of another account of the same tenant. */
  public static final String ACCOUNT = "account";

  // Plain exchange properties for the conditions and log lines that each attempt passes: Camel
  // copies the whole exchange for every getter that Simple calls.
  private static final String UNREAD = "unread";
  private static final String PER_SECOND = "perSecond";
  private static final String REFUSED = "refused";
  private static final String FATE = "fate";
  private static final String TENANT_ID = "tenantId";
  private static final String MESSAGE_ID = "messageId";
  private static final String ACCOUNT_ID = "accountId";

  private static final Logger LOG = LoggerFactory.getLogger(Attempts.class);
  private static final String LOG_ACCOUNT = "account_id";
  private static final String LOG_MESSAGE = "message_id";
  private static final long ABANDONED_DELAY_MILLIS = 60_000;
  private static final long BUSY_DELAY_MILLIS = 1_000;

  private final Directory directory;
  private final Composer composer;
  private final ReplyClassifier classifier;
  private final Outbox outbox;
  private final Lanes lanes;
  private final SandboxRelay sandbox;
  private final Circuits circuits;
  private final Slots slots;
  private final ThrottleSteps throttle;
  private final List<Consumer<Attempt>> abandoned = new CopyOnWriteArrayList<>();

  public Attempts(
      Directory directory,
      Outbox outbox,
      Lanes lanes,
      SandboxRelay sandbox,
      Circuits circuits,
      Slots slots,
      ThrottleSteps throttle) {
    this.directory = directory;
    this.composer = new Composer();
    this.classifier = new ReplyClassifier();
    this.outbox = outbox;
    this.lanes = lanes;
    this.sandbox = sandbox;
    this.circuits = circuits;
    this.slots = slots;
    this.throttle = throttle;
  }

  /** Starts an attempt of the delivery in the body. However the route ends, it is closed. */
  public void begin(Exchange exchange) {
    Delivery delivery = exchange.getMessage().getBody(Delivery.class);
    Attempt attempt =
        new Attempt(
            delivery,
            slots.take(queue(exchange, delivery)),
            directory.holdsUncertain(delivery.accountPk()));
    outbox.begin(delivery);
    exchange.setProperty(Attempt.PROPERTY, attempt);
    if (attempt.isUnread()) {
      exchange.setProperty(UNREAD, true);
    }
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new SynchronizationAdapter() {
              @Override
              public void onDone(Exchange done) {
                MDC.remove(LOG_ACCOUNT);
                MDC.remove(LOG_MESSAGE);
                boolean stopping = !done.getContext().getStatus().isStarted();
                try {
                  abandon(attempt, stopping ? 0 : ABANDONED_DELAY_MILLIS);
                } finally {
                  attempt.slot().move(Slot.State.FREE);
                }
              }
            });
  }

  private static QueueName queue(Exchange exchange, Delivery delivery) {
    String named = exchange.getProperty(QUEUE, String.class);
    if (named != null) {
      return QueueName.valueOf(named.toUpperCase(Locale.ROOT));
    }
    return delivery.attempts() == 0 ? QueueName.RAM : QueueName.DISK;
  }

  /** Parameters for {@code read-message.sql}; replaces the body. */
  public Map<String, Object> key(Exchange exchange) {
    Delivery one = attempt(exchange).getDelivery();
    return Map.of("tenant", one.tenantId(), "message", one.messagePk(), "delivery", one.pk());
  }

  /** Takes the message that was read. */
  public void read(Exchange exchange, List<Map<String, Object>> rows) {
    Attempt attempt = attempt(exchange);
    attempt.take(StoredMessage.read(attempt.getDelivery(), rows));
    exchange.getMessage().setBody(attempt.getDelivery());
  }

  /**
   * Chooses the account: the lane's, or the one that a route named in property {@value #ACCOUNT};
   * while its relay refuses us, its failover account.
   *
   * @throws NoAccountException this node knows of none; for a short time the attempt may go back
   * @throws CircuitOpenException it takes no mail now
   */
  public void account(Exchange exchange) throws NoAccountException, CircuitOpenException {
    Attempt attempt = attempt(exchange);
    String named = exchange.getProperty(ACCOUNT, String.class);
    Optional<Account> wanted =
        named == null
            ? directory.account(attempt.getDelivery().accountPk())
            : directory.account(attempt.getTenantId(), named);
    if (wanted.isEmpty()) {
      attempt.hold(BUSY_DELAY_MILLIS);
      throw new NoAccountException(attempt, named);
    }
    Account account = circuits.choose(attempt, wanted.get());
    if (circuits.isTrial(attempt, account)) {
      exchange.setProperty(Circuits.TRIAL, true);
    }
    attempt.choose(account.type() == Account.Type.SANDBOX ? sandbox.inPlaceOf(account) : account);
    exchange.setProperty(ACCOUNT_ID, account.id());
    exchange.setProperty(MESSAGE_ID, attempt.getId());
    if (account.limitPerSecond() != null) {
      exchange.setProperty(PER_SECOND, account.limitPerSecond());
    }
    MDC.put(LOG_ACCOUNT, account.id());
    MDC.put(LOG_MESSAGE, attempt.getId());
  }

  /** Makes the mail, the same bytes on each attempt; message headers become headers of the mail. */
  public OutgoingMail compose(Exchange exchange) {
    Attempt attempt = attempt(exchange);
    Delivery delivery = attempt.getDelivery();
    Message message = delivery.loaded();
    Account account = attempt.chosen();
    long node = outbox.node();
    Map<String, String> headers = new HashMap<>();
    exchange.getMessage().getHeaders().forEach((name, value) -> headers.put(name, "" + value));
    byte[] content =
        composer.compose(delivery.messagePk(), delivery.acceptedAt(), message, headers);
    exchange.getMessage().removeHeaders("*");
    OutgoingMail mail =
        new OutgoingMail(
            account,
            message.sender(),
            delivery.recipients(),
            Composer.messageId(delivery.messagePk(), message),
            content,
            DataGate.of(() -> outbox.enterData(delivery, node), () -> outbox.holdsLease(node)));
    attempt.compose(mail);
    return mail;
  }

  /**
   * What the relay answered, of which the refusals are left to be judged: who was accepted has the
   * mail, whatever a policy says. The place at the relay is free from here on.
   *
   * @throws IllegalStateException the message could not be read: nothing is known of its
   *     recipients, so nothing may be recorded of them
   */
  public List<Answer> answers(Exchange exchange) {
    Attempt attempt = attempt(exchange);
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    if (NoOutcome.of(attempt, failure)) {
      attempt.hold(BUSY_DELAY_MILLIS);
      exchange.setProperty(Circuits.HELD, true);
      disconnect(attempt);
      return List.of();
    }
    if (attempt.isUnread()) {
      disconnect(attempt);
      throw new IllegalStateException("its message could not be read: " + failure, failure);
    }
    OutgoingMail mail = attempt.mail();
    List<Answer> answers =
        mail == null
            ? Unmade.answers(attempt.getDelivery().recipients(), failure)
            : classifier.answers(mail, failure);
    attempt.answered(answers);
    if (failure instanceof ConnectionsBusyException) {
      attempt.hold(BUSY_DELAY_MILLIS);
      exchange.setProperty(Circuits.HELD, true);
    }
    disconnect(attempt);
    MDC.put(LOG_ACCOUNT, attempt.getAccountId());
    List<Answer> refusals =
        answers.stream().filter(answer -> answer.kind() != Answer.Kind.ACCEPTED).toList();
    if (!refusals.isEmpty()) {
      exchange.setProperty(REFUSED, true);
    }
    return refusals;
  }

  /** Records the verdicts; when it returns, they are on disk. */
  public Settled record(Exchange exchange) {
    Attempt attempt = attempt(exchange);
    AttemptResult result = attempt.result();
    if (result.deferred()) {
      attempt.slot().move(Slot.State.DISKWAIT);
    }
    Settled settled = outbox.record(result);
    attempt.settled(settled);
    attempt.close();
    return recorded(exchange, attempt, settled);
  }

  /** What those who are told of it look at stands in plain properties. */
  static Settled recorded(Exchange exchange, Attempt attempt, Settled settled) {
    exchange.setProperty(FATE, settled.getFateName());
    exchange.setProperty(TENANT_ID, attempt.getTenantId());
    exchange.setProperty(MESSAGE_ID, attempt.getId());
    return settled;
  }

  /** Gives the delivery back: the attempt could not be made, and is not used up. */
  public void giveBack(Exchange exchange) {
    Attempt attempt = attempt(exchange);
    disconnect(attempt);
    outbox.release(attempt.getDelivery(), attempt.heldMillis(), false);
    attempt.close();
  }

  /**
   * A route dropped the exchange, the service stops, or the store did not take its result: the
   * delivery goes back.
   */
  private void abandon(Attempt attempt, long delayMillis) {
    disconnect(attempt);
    circuits.ended(attempt);
    if (attempt.close()) {
      LOG.warn(
          "attempt of message {} ended without a result, trying again in {} s",
          attempt.getDelivery().messagePk(),
          delayMillis / 1000);
      NoOutcome.giveBack(outbox, attempt, delayMillis);
      abandoned.forEach(listener -> listener.accept(attempt));
    }
  }

  /** Calls back for each attempt that ends without a result of its own. */
  public void onAbandoned(Consumer<Attempt> listener) {
    abandoned.add(listener);
  }

  /** Id of the account whose attempt it is, that of its lane where none was chosen; or nothing. */
  public String accountOf(Attempt attempt) {
    Account account = attempt.getAccount();
    return account == null
        ? directory.account(attempt.getDelivery().accountPk()).map(Account::id).orElse("")
        : account.id();
  }

  private void disconnect(Attempt attempt) {
    if (attempt.disconnect()) {
      throttle.end(attempt);
      lanes.finish(attempt.getDelivery());
    }
  }

  private static Attempt attempt(Exchange exchange) {
    return exchange.getProperty(Attempt.PROPERTY, Attempt.class);
  }
}
