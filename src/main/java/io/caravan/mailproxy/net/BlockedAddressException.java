package io.caravan.mailproxy.net;

import java.net.UnknownHostException;

/** A name has addresses, and none that may be reached for a tenant. */
public final class BlockedAddressException extends UnknownHostException {
  private static final long serialVersionUID = 1L;

  /**
   * Does not tell which addresses they are: whoever set the name learns nothing of this network.
   */
  BlockedAddressException(String host) {
    super("blocked_address: " + host + " has no public address");
  }
}
