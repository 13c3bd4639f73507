package io.caravan.mailproxy.http;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Wrong tokens of each address in the current minute. An address that goes on guessing is told to
 * stop; right tokens are not looked at.
 */
final class FailedTokens {
  private static final long MINUTE_MILLIS = 60_000;

  /** Addresses remembered; the one that failed longest ago goes first. */
  private static final int MAX_ADDRESSES = 10_000;

  private static final class Failures {
    private final long since;
    private int count;

    Failures(long since) {
      this.since = since;
    }
  }

  private final int most;
  private final Map<String, Failures> byAddress = new LinkedHashMap<>();

  /**
   * @param most failures a minute and address before they are refused
   */
  FailedTokens(int most) {
    this.most = most;
  }

  /**
   * Another one.
   *
   * @param now milliseconds of any clock that does not go back
   * @return seconds to wait; 0: it is not too many yet
   */
  synchronized long failed(String address, long now) {
    Failures failures = byAddress.remove(address);
    if (failures == null || now - failures.since >= MINUTE_MILLIS) {
      failures = new Failures(now);
    }
    byAddress.put(address, failures);
    if (byAddress.size() > MAX_ADDRESSES) {
      byAddress.remove(byAddress.keySet().iterator().next());
    }
    failures.count++;
    return failures.count > most
        ? Math.max(1, (failures.since + MINUTE_MILLIS - now + 999) / 1_000)
        : 0;
  }
}
