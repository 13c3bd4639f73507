package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.net.AddressGuard;
import io.caravan.mailproxy.throttle.Limits;
import jakarta.mail.MessagingException;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.ToLongFunction;
import org.eclipse.angus.mail.util.MailConnectException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends each {@link OutgoingMail} over a kept connection to its own account; the sender behind the
 * {@code smtp:} endpoint. The host of that endpoint means nothing, nor do the sender properties
 * here: relay and credentials come from the mail's account.
 *
 * <p>{@link #send} returns when each recipient has an answer ({@link OutgoingMail#answers}), good
 * or bad, and throws when there was no mail transaction; {@link ReplyClassifier#answers} judges
 * both.
 *
 * <p>Safe for any number of threads. {@link #close} lets mails in transit end.
 */
public final class SmtpPool extends EndpointSender implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpPool.class);

  private static final long ROUND_NANOS = 100_000_000;

  /** {@code source_ip} of connections without {@code local_address}. */
  private static final String UNBOUND = "default";

  private final SmtpSettings settings;
  private final HeloName heloName;
  private final MxResolver mx;
  private final AddressGuard guard;
  private final Map<Place, AccountConnections> places = new ConcurrentHashMap<>();
  private final Map<String, ConnectionCounts> counts = new ConcurrentHashMap<>();
  private final List<BiConsumer<String, ConnectionCounts>> sources = new CopyOnWriteArrayList<>();
  private final Thread keeper;
  private volatile @Nullable Limits limits;
  private volatile boolean closed;
  private volatile long lastRound = System.nanoTime();

  /** Where connections are kept together; {@code server} is blank where the account says it. */
  private record Place(long accountPk, String server) {
    static Place of(Account account) {
      return new Place(account.pk(), account.type() == Account.Type.MX ? account.host() : "");
    }
  }

  public SmtpPool() {
    this(SmtpSettings.defaults());
  }

  public SmtpPool(SmtpSettings settings) {
    this(settings, new MxResolver(""), new AddressGuard(""));
  }

  /**
   * A pool whose accounts of type MX find their servers by {@code mx}.
   *
   * @param mx also finds the addresses of those servers
   * @param guard says which addresses are open to servers that the administrator did not name
   */
  public SmtpPool(SmtpSettings settings, MxResolver mx, AddressGuard guard) {
    this.settings = settings;
    this.mx = mx;
    this.guard = guard;
    this.heloName = new HeloName(settings);
    this.keeper = new Thread(this::keep, "smtp-keeper");
    keeper.setDaemon(true);
    keeper.start();
  }

  /** Takes what is told how many connections each account's relay was found to take. */
  public void setLimits(Limits limits) {
    this.limits = limits;
  }

  /**
   * Sends one mail.
   *
   * @throws StaleConnectionException send again at once, see there
   * @throws LeaseLostException nothing was sent and nothing is to be recorded
   * @throws RelayException no session could be had
   * @throws MessagingException no connection, or {@code message} is no {@link OutgoingMail}
   */
  @Override
  public void send(MimeMessage message) throws MessagingException {
    if (!(message instanceof OutgoingMail mail)) {
      throw new MessagingException(
          "this sender takes an OutgoingMail, made by the compose step, and no other body");
    }
    mail.begin();
    long deadline = System.nanoTime() + settings.messageDeadline().toNanos();
    if (mail.account().type() == Account.Type.MX) {
      sendDirectly(mail, deadline);
    } else {
      send(mail, mail.account(), deadline);
    }
  }

  /** To the first server of the recipients' domain that takes it (RFC 5321 section 5.1). */
  private void sendDirectly(OutgoingMail mail, long deadline) throws MessagingException {
    MessagingException last = null;
    for (Account server : mx.servers(mail.account(), mail.recipients().get(0).domain())) {
      boolean afterTls = last instanceof RelayException e && e.phase() == Phase.SESSION;
      if (MxResolver.isSecondTry(mail.account(), server) && !afterTls) {
        continue;
      }
      try {
        send(mail, server, deadline);
        return;
      } catch (RelayException | MailConnectException e) {
        last = e;
        if (System.nanoTime() - deadline >= 0) {
          break;
        }
      }
    }
    throw last == null ? new MessagingException("no server to try") : last;
  }

  private void send(OutgoingMail mail, Account account, long deadline) throws MessagingException {
    mail.goesTo(account);
    AccountConnections connections = enter(Place.of(account));
    try {
      SmtpConnection connection = connections.take(account, deadline, mail.wantsNewConnection());
      try {
        mail.reached(Phase.MAIL);
        new MailTransaction(connection, settings, mail).run();
      } finally {
        connections.give(connection);
      }
    } finally {
      connections.leave();
    }
  }

  /** Whoever entered keeps it from being forgotten, and so from being without a keeper. */
  private AccountConnections enter(Place place) {
    AccountConnections entered =
        places.compute(
            place,
            (p, known) -> {
              AccountConnections now =
                  known == null
                      ? new AccountConnections(settings, this::counts, heloName, this::addresses)
                      : known;
              now.enter();
              return now;
            });
    if (closed) {
      entered.close();
    }
    return entered;
  }

  /** The servers of type MX are named by whoever owns the recipients' domain. */
  private InetAddress[] addresses(Account account) throws IOException {
    if (account.type() == Account.Type.MX) {
      return guard.admitted(account.host(), mx.addresses(account.host()));
    }
    return guard.addresses(account.host(), account.guarded());
  }

  /** Closes an account's kept connections, as after its deletion. */
  public void forget(long accountPk) {
    places.forEach(
        (place, connections) -> {
          if (place.accountPk() == accountPk) {
            connections.drop();
          }
        });
  }

  /** Takes no further mail, closes what is kept; mails in transit end by themselves. */
  @Override
  public void close() {
    closed = true;
    places.values().forEach(AccountConnections::close);
  }

  /**
   * Cuts mails in transit off too: each attempt ends at once, uncertain where its body had left.
   */
  public void abort() {
    closed = true;
    places.values().forEach(AccountConnections::abort);
  }

  // the keeper

  private void keep() {
    while (!closed || active() > 0) {
      LockSupport.parkNanos(ROUND_NANOS);
      try {
        long now = System.nanoTime();
        places.forEach((place, connections) -> look(place, connections, now));
        lastRound = now;
      } catch (RuntimeException e) {
        LOG.error("A round over the SMTP connections failed", e);
      }
    }
  }

  private void look(Place place, AccountConnections connections, long now) {
    connections.look(now);
    boolean forgotten =
        connections.isForgotten(now)
            && places.computeIfPresent(place, (p, known) -> known.isForgotten(now) ? null : known)
                == null;
    Limits told = limits;
    if (told != null && place.server().isEmpty()) {
      told.narrow(
          place.accountPk(), forgotten ? Integer.MAX_VALUE : connections.learnedConnections(now));
    }
  }

  /**
   * Age of the keeper's last complete round, for a health check: above 5 s deadlines do not hold.
   */
  public double secondsSinceRound() {
    return (System.nanoTime() - lastRound) / 1e9;
  }

  // counts

  private ConnectionCounts counts(Account account) {
    String local = account.localAddress();
    String source = local == null ? UNBOUND : local;
    return counts(source);
  }

  private ConnectionCounts counts(String source) {
    ConnectionCounts known = counts.get(source);
    if (known != null) {
      return known;
    }
    ConnectionCounts fresh = new ConnectionCounts();
    known = counts.putIfAbsent(source, fresh);
    if (known != null) {
      return known;
    }
    sources.forEach(listener -> listener.accept(source, fresh));
    return fresh;
  }

  /** Calls back for each source address there is, unbound included, and for each new one. */
  public void onSource(BiConsumer<String, ConnectionCounts> listener) {
    counts(UNBOUND);
    counts.forEach(listener);
    sources.add(listener);
  }

  /** Counts by source address; {@code default} stands for connections not bound to one. */
  public Map<String, ConnectionCounts> bySource() {
    return Collections.unmodifiableMap(counts);
  }

  /** Sessions that came to stand since start. */
  public long opened() {
    return sum(ConnectionCounts::opened);
  }

  /** Times a kept connection was taken for another mail. */
  public long reused() {
    return sum(ConnectionCounts::reused);
  }

  /** Sessions closed since start. */
  public long closed() {
    return sum(ConnectionCounts::closed);
  }

  /** Connections or sessions that could not be had since start. */
  public long failed() {
    return sum(ConnectionCounts::failed);
  }

  /** Sessions open now, in use or kept. */
  public long active() {
    return sum(ConnectionCounts::active);
  }

  private long sum(ToLongFunction<ConnectionCounts> count) {
    return counts.values().stream().mapToLong(count).sum();
  }
}
