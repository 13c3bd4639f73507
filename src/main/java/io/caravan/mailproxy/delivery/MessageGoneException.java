package io.caravan.mailproxy.delivery;

/** A message was deleted between its claim and its attempt: there is nothing to do. */
public final class MessageGoneException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  MessageGoneException(long messagePk) {
    super("message " + messagePk + " is not in the store any more");
  }
}
