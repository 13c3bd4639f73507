package io.caravan.mailproxy.admin;

import io.caravan.mailproxy.http.JsonFields;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.net.AddressGuard;
import java.net.URI;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which servers a tenant may name: public ones, at ports where such servers are (DECISIONS, Guards;
 * reliability-security B64–B72, B74). What a name leads to is looked at when it is called.
 */
public final class TenantHosts {
  private static final int HTTP = 80;
  private static final int HTTPS = 443;

  private final AddressGuard guard;
  private final Set<Integer> urlPorts;
  private final Set<Integer> smtpPorts;

  /**
   * @param urlPorts of URLs, separated by commas ({@code guard.url-ports})
   * @param smtpPorts of accounts, likewise ({@code guard.smtp-ports})
   */
  public TenantHosts(AddressGuard guard, String urlPorts, String smtpPorts) {
    this.guard = guard;
    this.urlPorts = ports("guard.url-ports", urlPorts);
    this.smtpPorts = ports("guard.smtp-ports", smtpPorts);
  }

  private static Set<Integer> ports(String setting, String list) {
    try {
      return Arrays.stream(list.split(","))
          .map(String::strip)
          .map(Integer::valueOf)
          .collect(Collectors.toUnmodifiableSet());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(setting + " is no list of ports: " + list, e);
    }
  }

  /**
   * Checks the URL in a field.
   *
   * @param url one that {@link ClientUrl} found usable
   * @throws Problem 422 a tenant may not name it
   */
  void checkUrl(JsonFields form, String field, String url) {
    URI uri = URI.create(url);
    checkHost(form, field, uri.getHost());
    int usual = "https".equalsIgnoreCase(uri.getScheme()) ? HTTPS : HTTP;
    checkPort(form, field, uri.getPort() < 0 ? usual : uri.getPort(), urlPorts);
  }

  /**
   * Checks fields {@code host} and {@code port}.
   *
   * @throws Problem 422 a tenant may not name them
   */
  void checkRelay(JsonFields form, String host, int port) {
    checkHost(form, "host", host);
    checkSmtpPort(form, port);
  }

  /**
   * Checks field {@code port}.
   *
   * @throws Problem 422 a tenant may not name it
   */
  void checkSmtpPort(JsonFields form, int port) {
    checkPort(form, "port", port, smtpPorts);
  }

  private void checkHost(JsonFields form, String field, String host) {
    if (!guard.mayName(host)) {
      throw form.wrong(
          field, "blocked_address", "Only the administrator may set a host that is not public");
    }
  }

  private static void checkPort(JsonFields form, String field, int port, Set<Integer> open) {
    if (!open.contains(port)) {
      throw form.wrong(
          field, "blocked_port", "Only the administrator may set a port other than " + told(open));
    }
  }

  private static String told(Set<Integer> ports) {
    return ports.stream().sorted().map(String::valueOf).collect(Collectors.joining(", "));
  }
}
