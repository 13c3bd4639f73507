package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** The name that EHLO carries (RFC 5321 section 4.1.4). */
final class HeloName {
  private final SmtpSettings settings;
  private final String hostName = hostName();

  HeloName(SmtpSettings settings) {
    this.settings = settings;
  }

  /** The one set, else the account's source address as a literal, else the host's name. */
  String of(Account account) {
    if (!settings.heloName().isEmpty()) {
      return settings.heloName();
    }
    String local = account.localAddress();
    return local == null ? hostName : literal(local);
  }

  /** A name that others can resolve, else an address literal. */
  private static String hostName() {
    try {
      InetAddress local = InetAddress.getLocalHost();
      String name = local.getCanonicalHostName();
      boolean known = name.indexOf('.') > 0 && !name.equals(local.getHostAddress());
      String address = local.getHostAddress();
      return known
          ? name
          : literal(local instanceof Inet6Address ? address.replaceFirst("%.*", "") : address);
    } catch (UnknownHostException e) {
      return "[127.0.0.1]";
    }
  }

  /** RFC 5321 section 4.1.3. */
  private static String literal(String address) {
    return address.indexOf(':') >= 0 ? "[IPv6:" + address + "]" : "[" + address + "]";
  }
}
