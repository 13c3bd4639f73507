package io.caravan.mailproxy.net;

import io.netty.util.NetUtil;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Keeps what tenants name within the public network: a host that a tenant set, or that strangers
 * set in DNS, is reached at public addresses only, and at those that {@code guard.allow} opens
 * (DECISIONS, Guards; reliability-security B64–B68, B74).
 */
public final class AddressGuard {
  private static final List<Range> SPECIAL = special();

  /** Translated by the network to the IPv4 address in its last four bytes (RFC 6052). */
  private static final Range TRANSLATED = Range.of("64:ff9b::/96");

  /** Last label of what the system would read as an IPv4 address, such as 127.1 or 0x7f000001. */
  private static final Pattern NUMBER = Pattern.compile("(?:.*\\.)?(?:[0-9]+|0x[0-9a-f]*)");

  /** Names that mean this machine or this network wherever they are asked for. */
  private static final Pattern LOCAL_NAME =
      Pattern.compile("(?:.*\\.)?(?:localhost|local|internal|home\\.arpa)");

  private static final int V4 = 4;

  private final List<Range> allowed;

  /**
   * @param allow ranges that are open although they are not public, separated by commas ({@code
   *     guard.allow}); blank: none
   * @throws IllegalArgumentException one is no range
   */
  public AddressGuard(String allow) {
    allowed =
        Arrays.stream(allow.split(","))
            .map(String::strip)
            .filter(text -> !text.isEmpty())
            .map(
                text -> {
                  try {
                    return Range.of(text);
                  } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException("guard.allow: " + e.getMessage(), e);
                  }
                })
            .toList();
  }

  /**
   * The addresses of a host that may be reached, by one look-up: connect to one of these and to no
   * other, for the next look-up may say something else.
   *
   * @param guarded whether a tenant named it; else all are open
   * @throws BlockedAddressException it has others only
   * @throws java.net.UnknownHostException it has none
   */
  public InetAddress[] addresses(String host, boolean guarded) throws UnknownHostException {
    InetAddress[] found = InetAddress.getAllByName(host);
    return guarded ? admitted(host, found) : found;
  }

  /**
   * Those that may be reached.
   *
   * @throws BlockedAddressException there is none
   */
  public InetAddress[] admitted(String host, InetAddress[] found) throws BlockedAddressException {
    InetAddress[] admitted = Arrays.stream(found).filter(this::admits).toArray(InetAddress[]::new);
    if (admitted.length == 0) {
      throw new BlockedAddressException(host);
    }
    return admitted;
  }

  /**
   * Whether a host may be named at all, as far as its text tells: no address that may not be
   * reached, in whatever form, and no name of this machine or network.
   *
   * @param host a name or an address, IPv6 with or without brackets
   */
  public boolean mayName(String host) {
    String name = host.toLowerCase(Locale.ROOT).replaceAll("^\\[|]$|\\.$", "");
    byte[] literal = NetUtil.createByteArrayFromIpAddressString(name);
    if (literal != null) {
      return admits(literal);
    }
    return !NUMBER.matcher(name).matches()
        && (!allowed.isEmpty() || !LOCAL_NAME.matcher(name).matches());
  }

  private boolean admits(InetAddress address) {
    byte[] bytes = address.getAddress();
    return isAllowed(bytes) || (admits(bytes) && !isOurs(address));
  }

  private boolean admits(byte[] address) {
    if (isAllowed(address)) {
      return true;
    }
    if (TRANSLATED.holds(address)) {
      return admits(Arrays.copyOfRange(address, address.length - V4, address.length));
    }
    return SPECIAL.stream().noneMatch(range -> range.holds(address))
        && (!isTunnel(address)
            || admits(Arrays.copyOfRange(address, address.length - V4, address.length)));
  }

  private boolean isAllowed(byte[] address) {
    return allowed.stream().anyMatch(range -> range.holds(address));
  }

  /** Whether packets to it go to the IPv4 address in its last four bytes (ISATAP, RFC 5214). */
  private static boolean isTunnel(byte[] address) {
    return address.length > V4
        && (address[8] & ~0x02) == 0
        && address[9] == 0
        && address[10] == 0x5e
        && address[11] == (byte) 0xfe;
  }

  /** A public address may be this machine's: its own ports are open to it. */
  private static boolean isOurs(InetAddress address) {
    try {
      return NetworkInterface.getByInetAddress(address) != null;
    } catch (SocketException e) {
      return true;
    }
  }

  private static List<Range> special() {
    try (InputStream in =
        Objects.requireNonNull(AddressGuard.class.getResourceAsStream("special-ranges.tsv"))) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> Range.of(line.substring(0, line.indexOf('\t'))))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
