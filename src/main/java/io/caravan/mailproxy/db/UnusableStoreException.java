package io.caravan.mailproxy.db;

/** The store cannot be used as it is named. The message is one line that tells no password. */
public final class UnusableStoreException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  UnusableStoreException(String message) {
    super(message);
  }

  UnusableStoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
