package io.caravan.mailproxy.throttle;

/**
 * How much of a limit is used; of several limits, of the one that holds back longest.
 *
 * @param limit transactions that the window may hold
 * @param used those in it, with those that are open
 * @param window which one
 * @param freeAt when there is room for another one, Unix milliseconds; in the past: now
 * @param certain whether {@code freeAt} holds; false: open permits fill the window, and it is the
 *     earliest that can be, were they to end now
 */
public record Usage(long limit, long used, Window window, long freeAt, boolean certain) {

  /** Whether another one has to wait. */
  public boolean spent() {
    return used >= limit;
  }
}
