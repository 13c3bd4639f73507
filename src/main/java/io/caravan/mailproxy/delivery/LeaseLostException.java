package io.caravan.mailproxy.delivery;

import jakarta.mail.MessagingException;
import org.jspecify.annotations.Nullable;

/**
 * The {@link DataGate} stayed shut after the relay's 354: nothing was sent, the connection is
 * closed, and there is no outcome to record.
 */
public final class LeaseLostException extends MessagingException {
  private static final long serialVersionUID = 1L;

  LeaseLostException(String text, @Nullable Exception cause) {
    super(text, cause);
  }
}
