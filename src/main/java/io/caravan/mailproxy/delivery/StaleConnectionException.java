package io.caravan.mailproxy.delivery;

import jakarta.mail.MessagingException;
import org.jspecify.annotations.Nullable;

/**
 * A kept connection was found closed, or closing with 421, before the relay took any part of the
 * mail. Sending the same {@link OutgoingMail} again at once opens a new connection; no attempt is
 * used up.
 */
public final class StaleConnectionException extends MessagingException {
  private static final long serialVersionUID = 1L;

  StaleConnectionException(String text, @Nullable Exception cause) {
    super(text, cause);
  }
}
