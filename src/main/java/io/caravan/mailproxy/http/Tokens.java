package io.caravan.mailproxy.http;

import java.util.Optional;

/** The tokens of tenants, known by what they hash to. */
public interface Tokens {

  /**
   * Whose token this is.
   *
   * @param sha256 of the token's bytes in UTF-8, as hexadecimal digits in lower case
   * @return empty: unknown or expired
   */
  Optional<Caller> callerOf(String sha256);
}
