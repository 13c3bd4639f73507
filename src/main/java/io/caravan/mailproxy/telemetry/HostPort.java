package io.caravan.mailproxy.telemetry;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where to listen.
 *
 * @param host name or address, IPv6 without brackets; {@value #ALL} is every address
 * @param port 0 to 65,535; 0 takes a free one
 */
record HostPort(String host, int port) {
  private static final String ALL = "0.0.0.0";
  private static final int MAX_PORT = 65_535;
  private static final Pattern FORM =
      Pattern.compile("(?:(?:\\[([0-9a-fA-F:.]+(?:%\\w+)?)]|([^\\s:\\[\\]/]*)):)?(\\d{1,5})");

  /**
   * Reads {@code host:port}, {@code [v6]:port}, {@code :port} or {@code port}.
   *
   * @throws IllegalArgumentException it has another form, or there is no such port
   */
  static HostPort of(String text) {
    Matcher form = FORM.matcher(text.strip());
    if (!form.matches() || Integer.parseInt(form.group(3)) > MAX_PORT) {
      throw new IllegalArgumentException("not host:port, :port or port: " + text.strip());
    }
    String name = form.group(2) == null || form.group(2).isEmpty() ? ALL : form.group(2);
    return new HostPort(
        form.group(1) == null ? name : form.group(1), Integer.parseInt(form.group(3)));
  }

  @Override
  public String toString() {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }
}
