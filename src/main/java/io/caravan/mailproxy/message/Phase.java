package io.caravan.mailproxy.message;

/** How far an attempt came. Only a break in {@link #DOT} is uncertain (reliability-security A3). */
public enum Phase {
  /** Composing the mail, before any connection. */
  COMPOSE,
  /** TCP connect and the greeting. */
  CONNECT,
  /** EHLO, STARTTLS, AUTH. */
  SESSION,
  MAIL,
  RCPT,
  /** DATA was sent, its reply not yet read. */
  DATA,
  /** The body is being written; the final dot is not sent yet. */
  BODY,
  /** The final dot may have left; its reply was not read. */
  DOT,
  /** The relay answered the dot. */
  DONE
}
