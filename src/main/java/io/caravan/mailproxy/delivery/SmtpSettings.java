package io.caravan.mailproxy.delivery;

import java.time.Duration;

/**
 * How long things may take. All are enforced by closing the socket, with a resolution of 0.1 s.
 *
 * @param connectTimeout for TCP to connect, all addresses of a host together ({@code
 *     smtp.connect-timeout})
 * @param commandTimeout for each reply before the body, and for the whole session set-up from
 *     greeting to AUTH ({@code smtp.command-timeout}; RFC 5321 section 4.5.3.2: 5 minutes)
 * @param dotTimeout for the reply to the final dot ({@code smtp.dot-timeout})
 * @param messageDeadline for one send, waiting and connecting included; rules over all others
 *     ({@code smtp.message-deadline})
 * @param idleTimeout after which an unused connection is closed
 * @param waitTimeout how long a send waits for one of the account's connections to come free
 * @param heloName name for EHLO; blank: the host's own name, or the address as a literal
 */
public record SmtpSettings(
    Duration connectTimeout,
    Duration commandTimeout,
    Duration dotTimeout,
    Duration messageDeadline,
    Duration idleTimeout,
    Duration waitTimeout,
    String heloName) {

  public SmtpSettings {
    for (Duration d :
        new Duration[] {
          connectTimeout, commandTimeout, dotTimeout, messageDeadline, idleTimeout, waitTimeout
        }) {
      if (d.isNegative() || d.isZero() || d.compareTo(Duration.ofDays(1)) > 0) {
        throw new IllegalArgumentException("an SMTP time-out must be above 0 and at most a day");
      }
    }
    if (!heloName.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw new IllegalArgumentException("the EHLO name must be ASCII without spaces");
    }
  }

  /** 30 s, 300 s, 300 s, 600 s, 60 s, 2 s, the host's own name. */
  public static SmtpSettings defaults() {
    return of(30, 300, 300, 600, 2000);
  }

  /**
   * The five of {@code config/application.properties}, the rest as in {@link #defaults}.
   *
   * @param connect seconds, as are the next three
   * @param waitMillis milliseconds, 0 and more
   */
  public static SmtpSettings of(
      long connect, long command, long dot, long deadline, long waitMillis) {
    return new SmtpSettings(
        Duration.ofSeconds(connect),
        Duration.ofSeconds(command),
        Duration.ofSeconds(dot),
        Duration.ofSeconds(deadline),
        Duration.ofSeconds(60),
        Duration.ofMillis(Math.max(1, waitMillis)),
        "");
  }
}
