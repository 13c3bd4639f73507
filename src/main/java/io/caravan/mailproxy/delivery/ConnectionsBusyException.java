package io.caravan.mailproxy.delivery;

import jakarta.mail.MessagingException;

/**
 * None of the connections that there may be to a relay came free in time: it was not even asked,
 * and the attempt goes back unspent.
 */
final class ConnectionsBusyException extends MessagingException {
  private static final long serialVersionUID = 1L;

  ConnectionsBusyException() {
    super("connections_busy: none came free in time");
  }
}
