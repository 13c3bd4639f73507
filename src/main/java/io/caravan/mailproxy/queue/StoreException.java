package io.caravan.mailproxy.queue;

/** The store could not take something; nothing of it was kept. */
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  StoreException(Throwable cause) {
    super("the store refused: " + cause.getMessage(), cause);
  }
}
