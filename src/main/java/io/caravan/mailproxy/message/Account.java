package io.caravan.mailproxy.message;

import org.jspecify.annotations.Nullable;

/**
 * An SMTP relay and what may be asked of it; {@code outmta} in the telemetry.
 *
 * @param pk the row's key; also names the lane until throttle rules split an account into several
 * @param revision grows with each change, so that pooled connections of an older form are not used
 * @param host the relay; of no meaning for {@link Type#MX}
 * @param useTls {@code null}: TLS on port 465 only; {@code true}: implicit TLS on 465, else
 *     STARTTLS is required; {@code false}: none (genro-api 2.5). For {@link Type#MX} {@code null}
 *     is TLS where the server offers it, and nobody vouches for its name
 * @param ttlSeconds age in seconds after which a pooled connection is closed
 * @param maxConnections connections at the same time, 1 and more
 * @param maxMessagesPerConnection messages after which a connection is closed; 0: no limit
 * @param limitPerSecond messages a second handed to this relay; {@code null}: no limit
 * @param localAddress source address of its connections; {@code null}: the system's choice
 * @param tlsCa PEM certificates trusted in addition to the system's; {@code null}: none
 * @param failoverAccountId account of the same tenant that takes the mail while this one's relay
 *     refuses connections or the log-in; {@code null}: none
 * @param guarded whether a tenant set the server, so that it must have a public address (DECISIONS,
 *     Guards)
 * @param quota limits of messages in windows of time
 */
public record Account(
    long pk,
    long revision,
    String tenantId,
    String id,
    Type type,
    String host,
    int port,
    @Nullable String user,
    @Nullable String password,
    @Nullable Boolean useTls,
    int ttlSeconds,
    int maxConnections,
    int maxMessagesPerConnection,
    @Nullable Integer limitPerSecond,
    @Nullable String localAddress,
    @Nullable String tlsCa,
    @Nullable String failoverAccountId,
    boolean guarded,
    Quota quota) {

  /** What stands behind an account. */
  public enum Type {
    /** An SMTP server that takes the mail on. */
    RELAY,
    /**
     * No relay: mail goes to the servers that the recipients' domains name (RFC 5321 section 5).
     */
    MX,
    /** The server inside this process, which keeps what it gets and sends nothing on. */
    SANDBOX
  }

  /** How a connection is protected. */
  public enum Tls {
    NONE,
    /** RFC 3207 where it is offered, whoever the server says it is (RFC 7435); else none. */
    OPPORTUNISTIC,
    /** RFC 3207, required: a server that does not offer it gets no mail. */
    STARTTLS,
    /** RFC 8314: TLS from the first byte. */
    IMPLICIT
  }

  /** The protection that {@code useTls} and the port stand for. */
  public Tls tls() {
    if (type == Type.MX) {
      return useTls == null ? Tls.OPPORTUNISTIC : useTls ? Tls.STARTTLS : Tls.NONE;
    }
    if (useTls == null) {
      return port == 465 ? Tls.IMPLICIT : Tls.NONE;
    }
    if (!useTls) {
      return Tls.NONE;
    }
    return port == 465 ? Tls.IMPLICIT : Tls.STARTTLS;
  }

  /** The same with another server behind it, without log-in. */
  public Account at(String otherHost, int otherPort, @Nullable Boolean otherTls) {
    return new Account(
        pk,
        revision,
        tenantId,
        id,
        type,
        otherHost,
        otherPort,
        null,
        null,
        otherTls,
        ttlSeconds,
        maxConnections,
        maxMessagesPerConnection,
        limitPerSecond,
        localAddress,
        tlsCa,
        failoverAccountId,
        guarded,
        quota);
  }

  /** Log in only when both are given (genro-api 2.5). */
  public boolean authenticates() {
    return user != null && !user.isEmpty() && password != null && !password.isEmpty();
  }

  /** Without secrets: this text may reach a log. */
  @Override
  public String toString() {
    return "Account[" + tenantId + "/" + id + " " + host + ":" + port + "]";
  }
}
