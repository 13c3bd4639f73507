package io.caravan.mailproxy.http;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What is being taken in at this moment, and how much may be: bodies grow several times over while
 * they are read, and a client that is told to come again loses nothing.
 */
public final class IntakeRoom {
  private final AtomicLong messages = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private final long maxMessages;
  private final long maxBytes;

  /**
   * @param maxMessages messages on their way to the disk ({@code intake.max-messages})
   * @param maxBytes bytes of all bodies being worked on ({@code intake.max-bytes})
   */
  public IntakeRoom(long maxMessages, long maxBytes) {
    this.maxMessages = maxMessages;
    this.maxBytes = maxBytes;
  }

  /**
   * Takes room for a body; {@link #leaveBytes} must follow.
   *
   * @throws Problem 503 there is none
   */
  public void enterBytes(long count) {
    enter(bytes, count, maxBytes, "Too many bytes are being taken in, try again");
  }

  public void leaveBytes(long count) {
    bytes.addAndGet(-count);
  }

  /**
   * Takes room for a call's messages; {@link #leaveMessages} must follow.
   *
   * @throws Problem 503 there is none
   */
  public void enterMessages(long count) {
    enter(messages, count, maxMessages, "Too many messages are being taken in, try again");
  }

  public void leaveMessages(long count) {
    messages.addAndGet(-count);
  }

  public long messages() {
    return messages.get();
  }

  public long bytes() {
    return bytes.get();
  }

  public long maxMessages() {
    return maxMessages;
  }

  public long maxBytes() {
    return maxBytes;
  }

  /** One that is larger than all room comes in alone. */
  private static void enter(AtomicLong held, long count, long max, String refusal) {
    long before = held.getAndAdd(count);
    if (before > 0 && before + count > max) {
      held.addAndGet(-count);
      throw new Problem(503, refusal);
    }
  }
}
