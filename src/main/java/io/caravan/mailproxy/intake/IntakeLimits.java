package io.caravan.mailproxy.intake;

/**
 * What one message may weigh. Over it the item is rejected, the rest of its batch is not.
 *
 * @param maxRecipients envelope recipients of one message, duplicates removed; 1 and more
 * @param maxMessageBytes body, headers and attachments in bytes, attachments as base64 text
 */
public record IntakeLimits(int maxRecipients, long maxMessageBytes) {
  /** Items of one call (genro-api 1.4). */
  public static final int MAX_ITEMS = 1000;

  public static final IntakeLimits DEFAULT = new IntakeLimits(1000, 25L * 1024 * 1024);
}
