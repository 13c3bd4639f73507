package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.internet.MimeMessage;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.ToLongFunction;
import org.apache.camel.component.mail.JavaMailSender;
import org.apache.camel.component.mail.MailAuthenticator;
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
public final class SmtpPool implements JavaMailSender, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpPool.class);

  private static final long ROUND_NANOS = 100_000_000;

  /** {@code source_ip} of connections without {@code local_address}. */
  private static final String UNBOUND = "default";

  private final SmtpSettings settings;
  private final HeloName heloName;
  private final Map<Long, AccountConnections> accounts = new ConcurrentHashMap<>();
  private final Map<String, ConnectionCounts> counts = new ConcurrentHashMap<>();
  private final List<BiConsumer<String, ConnectionCounts>> sources = new CopyOnWriteArrayList<>();
  private final Thread keeper;
  private volatile boolean closed;
  private volatile long lastRound = System.nanoTime();

  // asked for by the endpoint, without meaning here; none may be blank
  private String protocol = "smtp";
  private String host = "relay";
  private int port = 25;
  private Properties properties = new Properties();
  private @Nullable String username;
  private @Nullable String password;
  private @Nullable Session session;
  private @Nullable MailAuthenticator authenticator;

  public SmtpPool() {
    this(SmtpSettings.defaults());
  }

  public SmtpPool(SmtpSettings settings) {
    this.settings = settings;
    this.heloName = new HeloName(settings);
    this.keeper = new Thread(this::keep, "smtp-keeper");
    keeper.setDaemon(true);
    keeper.start();
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
    Account account = mail.account();
    long deadline = System.nanoTime() + settings.messageDeadline().toNanos();
    AccountConnections connections = of(account);
    SmtpConnection connection = connections.take(account, deadline, mail.wantsNewConnection());
    try {
      new MailTransaction(connection, settings, mail).run();
    } finally {
      connections.give(connection);
    }
  }

  private AccountConnections of(Account account) {
    AccountConnections known = accounts.get(account.pk());
    if (known == null) {
      known =
          accounts.computeIfAbsent(
              account.pk(), pk -> new AccountConnections(settings, this::counts, heloName));
      if (closed) {
        known.close();
      }
    }
    return known;
  }

  /** Closes an account's kept connections, as after its deletion. */
  public void forget(long accountPk) {
    AccountConnections known = accounts.get(accountPk);
    if (known != null) {
      known.drop();
    }
  }

  /** Takes no further mail, closes what is kept; mails in transit end by themselves. */
  @Override
  public void close() {
    closed = true;
    accounts.values().forEach(AccountConnections::close);
  }

  /**
   * Cuts mails in transit off too: each attempt ends at once, uncertain where its body had left.
   */
  public void abort() {
    closed = true;
    accounts.values().forEach(AccountConnections::abort);
  }

  // the keeper

  private void keep() {
    while (!closed || active() > 0) {
      LockSupport.parkNanos(ROUND_NANOS);
      try {
        long now = System.nanoTime();
        accounts.values().forEach(a -> a.look(now));
        lastRound = now;
      } catch (RuntimeException e) {
        LOG.error("A round over the SMTP connections failed", e);
      }
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

  // what the endpoint asks of a sender

  @Override
  public Properties getJavaMailProperties() {
    return properties;
  }

  @Override
  public void setJavaMailProperties(Properties javaMailProperties) {
    properties = javaMailProperties;
  }

  @Override
  public void addAdditionalJavaMailProperty(String key, String value) {
    properties.setProperty(key, value);
  }

  @Override
  public void setHost(String host) {
    this.host = host;
  }

  @Override
  public String getHost() {
    return host;
  }

  @Override
  public void setPort(int port) {
    this.port = port;
  }

  @Override
  public int getPort() {
    return port;
  }

  @Override
  public void setUsername(@Nullable String username) {
    this.username = username;
  }

  @Override
  public @Nullable String getUsername() {
    return username;
  }

  @Override
  public void setPassword(@Nullable String password) {
    this.password = password;
  }

  @Override
  public @Nullable String getPassword() {
    return password;
  }

  @Override
  public void setProtocol(String protocol) {
    this.protocol = protocol;
  }

  @Override
  public String getProtocol() {
    return protocol;
  }

  @Override
  public void setSession(Session session) {
    this.session = session;
  }

  @Override
  public Session getSession() {
    Session known = session;
    if (known == null) {
      known = Session.getInstance(properties);
      session = known;
    }
    return known;
  }

  @Override
  public void setAuthenticator(@Nullable MailAuthenticator authenticator) {
    this.authenticator = authenticator;
  }

  @Override
  public @Nullable MailAuthenticator getAuthenticator() {
    return authenticator;
  }
}
