package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import java.io.IOException;
import java.net.InetAddress;

/** How the addresses of an account's server are found. */
interface ServerAddresses {
  /**
   * In the order in which they are to be tried; never empty.
   *
   * @throws IOException there are none
   */
  InetAddress[] of(Account account) throws IOException;
}
