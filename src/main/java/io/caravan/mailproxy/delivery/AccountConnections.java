package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import jakarta.mail.MessagingException;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one account, for type MX to one server: opens them, lends them out, and closes
 * what finds no place any more.
 */
final class AccountConnections {
  private static final long FORGET_AFTER = TimeUnit.MINUTES.toNanos(5);

  private final SmtpSettings settings;
  private final Function<Account, ConnectionCounts> counts;
  private final HeloName heloName;
  private final ServerAddresses addresses;

  private final ConnectionPlaces places;
  private final AtomicInteger users = new AtomicInteger();
  private volatile long lastUsed = System.nanoTime();
  private @Nullable Trust trust;

  private record Trust(@Nullable String pem, boolean anybody, SSLContext context) {}

  AccountConnections(
      SmtpSettings settings,
      Function<Account, ConnectionCounts> counts,
      HeloName heloName,
      ServerAddresses addresses) {
    this.settings = settings;
    this.counts = counts;
    this.heloName = heloName;
    this.addresses = addresses;
    this.places = new ConnectionPlaces(settings.waitTimeout());
  }

  /**
   * A connection with a session, kept or new; waits for a place. Where the relay takes no more of
   * them, for one that is open already.
   *
   * @param deadline of the whole message, in nanoseconds of {@link System#nanoTime}
   */
  SmtpConnection take(Account account, long deadline, boolean onlyNew) throws MessagingException {
    while (true) {
      SmtpConnection kept = keptOrPlace(account, deadline, onlyNew);
      if (kept == null) {
        SmtpConnection fresh = fresh(account, deadline);
        if (fresh != null) {
          return fresh;
        }
      } else {
        kept.begin(deadline);
        if (kept.alive()) {
          counts.apply(account).reused.increment();
          return kept;
        }
        give(kept);
      }
    }
  }

  /**
   * Opens one in a place that was taken for it.
   *
   * @return {@code null} where the relay refused it only because of the others that are open
   */
  private @Nullable SmtpConnection fresh(Account account, long deadline) throws MessagingException {
    SmtpConnection fresh = new SmtpConnection(account, settings, addresses);
    places.use(fresh);
    try {
      fresh.begin(deadline);
      fresh.open(trust(account), heloName.of(account));
      counts.apply(account).opened.increment();
      return fresh;
    } catch (RelayException e) {
      if (failed(fresh, isRefusal(e))) {
        return null;
      }
      throw e;
    } catch (MessagingException | RuntimeException | Error e) {
      failed(fresh, false);
      throw e;
    }
  }

  /** As {@link ConnectionPlaces#free}; closes and counts it. */
  private boolean failed(SmtpConnection fresh, boolean refused) {
    counts.apply(fresh.account()).failed.increment();
    fresh.close();
    return places.free(fresh, refused);
  }

  private static boolean isRefusal(RelayException e) {
    return e.phase() == Phase.CONNECT && e.code() >= 400 && e.code() < 500;
  }

  /** As {@link ConnectionPlaces#keptOrPlace}; closes those that lost their place. */
  private @Nullable SmtpConnection keptOrPlace(Account account, long deadline, boolean onlyNew)
      throws MessagingException {
    List<SmtpConnection> out = new ArrayList<>(0);
    try {
      return places.keptOrPlace(account, deadline, onlyNew, out);
    } finally {
      closeAll(out);
    }
  }

  /** Takes a connection back after use: keeps it, or closes it. */
  void give(SmtpConnection connection) {
    connection.end();
    if (!places.keep(connection)) {
      closeAll(List.of(connection));
    }
  }

  /** A send begins that may use them; {@link #leave} follows. */
  void enter() {
    users.incrementAndGet();
  }

  void leave() {
    lastUsed = System.nanoTime();
    users.decrementAndGet();
  }

  /** Whether nobody used them for long and none is open; what was learned goes with them. */
  boolean isForgotten(long now) {
    return users.get() == 0 && places.areAllFree() && now - lastUsed >= FORGET_AFTER;
  }

  /** The keeper's round: deadlines of the busy, age of the kept. */
  void look(long now) {
    places.used().forEach(c -> c.expireIfDue(now));
    closeAll(places.outOfDate(now));
  }

  /** See {@link ConnectionPlaces#learnedConnections}. */
  int learnedConnections(long now) {
    return places.learnedConnections(now);
  }

  /** Closes the kept ones; those in use are closed when they come back after {@link #close}. */
  void drop() {
    closeAll(places.keepNone());
  }

  void close() {
    places.close();
    drop();
  }

  /** Closes all, those in use too. */
  void abort() {
    close();
    places.used().forEach(SmtpConnection::expire);
  }

  private void closeAll(List<SmtpConnection> connections) {
    for (SmtpConnection c : connections) {
      c.close();
      counts.apply(c.account()).closed.increment();
    }
  }

  private synchronized SSLContext trust(Account account) throws RelayException {
    try {
      Trust known = trust;
      boolean anybody = account.tls() == Account.Tls.OPPORTUNISTIC;
      boolean fits =
          known != null
              && known.anybody() == anybody
              && Objects.equals(known.pem(), account.tlsCa());
      if (known == null || !fits) {
        SSLContext context = anybody ? TlsTrust.anybody() : TlsTrust.context(account.tlsCa());
        known = new Trust(account.tlsCa(), anybody, context);
        trust = known;
      }
      return known.context();
    } catch (GeneralSecurityException | IOException e) {
      throw new RelayException(
          Kind.ACCOUNT, Phase.SESSION, "tls_ca cannot be read: " + RelaySession.said(e), e);
    }
  }
}
