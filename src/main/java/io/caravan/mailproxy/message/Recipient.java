package io.caravan.mailproxy.message;

/**
 * One envelope address of a message; the outcome is kept per recipient.
 *
 * @param position place in the message's list of recipients (to, cc, bcc), from 0
 * @param address {@code local@domain} as it goes on the wire, the domain in A-label form
 */
public record Recipient(int position, String address) {

  /** What stands behind the last {@code @}. */
  public String domain() {
    return address.substring(address.lastIndexOf('@') + 1);
  }
}
