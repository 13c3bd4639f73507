package io.caravan.mailproxy.queue;

/**
 * The store could not take something. Nothing of it was kept, unless the connection broke in its
 * commit: who asks again has to allow for that.
 */
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  StoreException(Throwable cause) {
    super("the store refused: " + cause.getMessage(), cause);
  }
}
