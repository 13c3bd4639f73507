package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.Cache;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedResolver;
import org.xbill.DNS.Lookup;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Resolver;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/**
 * Finds the mail servers of a domain and their addresses (RFC 5321 section 5.1, RFC 7505). Answers
 * are kept as long as DNS allows.
 */
public final class MxResolver {
  /** For one try of one server; each is tried {@link #TRIES} times. */
  private static final Duration TRY_TIMEOUT = Duration.ofSeconds(2);

  /** For one question, all tries of all servers together. */
  private static final Duration TIMEOUT = Duration.ofSeconds(8);

  private static final int TRIES = 3;
  private static final int DNS_PORT = 53;

  /** More are not tried for one mail. */
  private static final int MAX_SERVERS = 10;

  private final List<InetSocketAddress> dnsServers;
  private final Cache cache = new Cache(DClass.IN);
  private @Nullable Resolver resolver;

  /**
   * Asks when the first mail needs it.
   *
   * @param dnsServers addresses with or without a port, separated by commas; blank: those of the
   *     system
   * @throws IllegalArgumentException one is no address
   */
  public MxResolver(String dnsServers) {
    this.dnsServers =
        Arrays.stream(dnsServers.split(","))
            .map(String::strip)
            .filter(text -> !text.isEmpty())
            .map(MxResolver::socketAddress)
            .toList();
  }

  private static InetSocketAddress socketAddress(String text) {
    int colon = text.lastIndexOf(':');
    boolean hasPort = colon > 0 && (text.indexOf(':') == colon || text.charAt(colon - 1) == ']');
    String host = hasPort ? text.substring(0, colon) : text;
    try {
      int port = hasPort ? Integer.parseInt(text.substring(colon + 1)) : DNS_PORT;
      if (host.matches("[0-9.]+|\\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*]?")) {
        return new InetSocketAddress(InetAddress.getByName(host), port);
      }
    } catch (UnknownHostException | IllegalArgumentException e) {
      throw new IllegalArgumentException("smtp.dns-servers: " + text + " is no address", e);
    }
    throw new IllegalArgumentException("smtp.dns-servers: " + text + " is no address");
  }

  /**
   * The account as it stands for each server of a domain, in the order in which they are to be
   * tried. Where TLS is a matter of opportunity, each is followed by the same without TLS.
   *
   * @throws RelayException the domain takes no mail, does not exist, or DNS does not say
   */
  List<Account> servers(Account account, String domain) throws RelayException {
    List<Account> servers = new ArrayList<>();
    for (String host : hosts(domain)) {
      servers.add(account.at(host, account.port(), account.useTls()));
      if (account.tls() == Account.Tls.OPPORTUNISTIC) {
        servers.add(account.at(host, account.port(), false));
      }
    }
    return servers;
  }

  /** Whether this is one that {@link #servers} put after the same with TLS. */
  static boolean isSecondTry(Account account, Account server) {
    return account.tls() == Account.Tls.OPPORTUNISTIC && server.tls() == Account.Tls.NONE;
  }

  /** Names of the mail servers, by preference, in random order among equals. */
  List<String> hosts(String domain) throws RelayException {
    Lookup lookup = lookup(name(domain), Type.MX);
    Record[] found = lookup.run();
    switch (lookup.getResult()) {
      case Lookup.SUCCESSFUL -> {
        return byPreference(domain, found);
      }
      case Lookup.TYPE_NOT_FOUND -> {
        return implicit(domain);
      }
      case Lookup.HOST_NOT_FOUND ->
          throw never("5.1.2", "domain_not_found: " + domain + " does not exist");
      default -> throw later(domain, lookup);
    }
  }

  private static List<String> byPreference(String domain, Record[] found) throws RelayException {
    List<MXRecord> records = new ArrayList<>();
    for (Record each : found) {
      if (each instanceof MXRecord mx && !mx.getTarget().equals(Name.root)) {
        records.add(mx);
      }
    }
    if (records.isEmpty()) {
      throw never("5.1.10", "null_mx: " + domain + " takes no mail");
    }
    Collections.shuffle(records);
    records.sort(Comparator.comparingInt(MXRecord::getPriority));
    return records.stream()
        .map(mx -> mx.getTarget().toString(true))
        .distinct()
        .limit(MAX_SERVERS)
        .toList();
  }

  /** Without MX a domain with an address is its own mail server. */
  private List<String> implicit(String domain) throws RelayException {
    for (int type : new int[] {Type.A, Type.AAAA}) {
      Lookup lookup = lookup(name(domain), type);
      lookup.run();
      switch (lookup.getResult()) {
        case Lookup.SUCCESSFUL -> {
          return List.of(domain);
        }
        case Lookup.TYPE_NOT_FOUND, Lookup.HOST_NOT_FOUND -> {
          // perhaps of the other type
        }
        default -> throw later(domain, lookup);
      }
    }
    throw never("5.4.4", "no_mail_server: " + domain + " has neither MX nor address");
  }

  /**
   * Addresses of a mail server, those of IPv4 first.
   *
   * @throws UnknownHostException it has none, or DNS does not say
   */
  InetAddress[] addresses(String host) throws UnknownHostException {
    List<InetAddress> addresses = new ArrayList<>();
    try {
      for (int type : new int[] {Type.A, Type.AAAA}) {
        Record[] found = lookup(name(host), type).run();
        for (Record each : found == null ? new Record[0] : found) {
          if (each instanceof ARecord a) {
            addresses.add(a.getAddress());
          } else if (each instanceof AAAARecord aaaa) {
            addresses.add(aaaa.getAddress());
          }
        }
      }
    } catch (RelayException e) {
      throw new UnknownHostException(e.text());
    }
    if (addresses.isEmpty()) {
      throw new UnknownHostException(host + " has no address");
    }
    return addresses.toArray(new InetAddress[0]);
  }

  private static Name name(String domain) throws RelayException {
    try {
      return Name.fromString(domain, Name.root);
    } catch (TextParseException e) {
      throw never("5.1.2", "domain_not_found: " + domain + " is no name in DNS");
    }
  }

  private Lookup lookup(Name name, int type) throws RelayException {
    Lookup lookup = new Lookup(name, type);
    lookup.setResolver(resolver());
    lookup.setCache(cache);
    return lookup;
  }

  private synchronized Resolver resolver() throws RelayException {
    Resolver known = resolver;
    if (known == null) {
      List<Resolver> servers = new ArrayList<>();
      for (InetSocketAddress server : dnsServers) {
        servers.add(new SimpleResolver(server));
      }
      ExtendedResolver fresh =
          servers.isEmpty() ? new ExtendedResolver() : new ExtendedResolver(servers);
      fresh.setTimeout(TIMEOUT);
      for (Resolver server : fresh.getResolvers()) {
        server.setTimeout(TRY_TIMEOUT);
      }
      fresh.setRetries(TRIES);
      resolver = fresh;
      return fresh;
    }
    return known;
  }

  private static RelayException never(String enhanced, String text) {
    return new RelayException(Kind.PERMANENT, Phase.CONNECT, 0, enhanced, text, null);
  }

  private static RelayException later(String domain, Lookup lookup) {
    String text = "dns_failed: " + domain + ": " + Reply.clean(lookup.getErrorString());
    return new RelayException(Kind.TEMPORARY, Phase.CONNECT, 0, "4.4.3", text, null);
  }
}
