package io.caravan.mailproxy.telemetry;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Sends the documented families to a StatsD server, under the literal keys of the catalogue. Set by
 * name, not by constructor: as a constructor's argument a text of digits would not be taken for
 * text.
 */
public final class Statsd implements AutoCloseable {
  /** A host's name or its IPv4 address. */
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9._-]*");

  /** What can be no name, so that nobody is asked for its address. */
  private static final Pattern IPV6 = Pattern.compile("\\[?[0-9a-fA-F:][0-9a-fA-F:.]*(%\\w+)?]?");

  /** What means nothing in the protocol ({@code :|@}), and no space. */
  private static final Pattern PREFIX = Pattern.compile("([a-zA-Z0-9._-]|\\{me})*");

  private static final int MAX_PORT = 65_535;
  private static final int MAX_INTERVAL = 3_600;

  private final Readings readings;
  private final MeterRegistry registry;
  private String host = "";
  private int port = 8125;
  private String prefix = "";
  private boolean dotted;
  private @Nullable Output output;

  /**
   * @param readings of the documented families
   * @param registry counts the lines
   */
  public Statsd(Readings readings, MeterRegistry registry) {
    this.readings = readings;
    this.registry = registry;
  }

  private record Output(StatsdLines lines, StatsdSender sender) {}

  /**
   * Where to send.
   *
   * @param text name or address; blank: nowhere
   * @throws IllegalArgumentException it can be neither; whether there is such a host is not asked
   */
  public void setHost(String text) {
    host = text.strip();
    boolean possible = NAME.matcher(host).matches() || isIpv6(host);
    check(possible, "statsd.host: neither a host's name nor an address, without a port", text);
  }

  /** 1 to {@value #MAX_PORT}. */
  public void setPort(String text) {
    port = number("statsd.port", MAX_PORT, text);
  }

  /** What keys begin with; {@value StatsdKeys#ME} is the host's name. Blank: nothing. */
  public void setPrefix(String text) {
    prefix = text.strip();
    check(
        PREFIX.matcher(prefix).matches(),
        "statsd.prefix: only letters, digits, dots, _, - and {me} may be in it",
        text);
  }

  /** {@code literal} or {@code dotted}. */
  public void setKeyStyle(String text) {
    dotted = text.strip().equals("dotted");
    check(
        dotted || text.strip().equals("literal"), "statsd.key-style: not literal or dotted", text);
  }

  /** Only looked at: the route's timer keeps it. 1 to {@value #MAX_INTERVAL} seconds. */
  public void setIntervalSeconds(String text) {
    number("statsd.interval-seconds", MAX_INTERVAL, text);
  }

  /** Sends what there is; waits for nothing but the server's address. */
  public synchronized void flush() {
    if (host.isEmpty()) {
      return;
    }
    Output to = output;
    if (to == null) {
      to = start();
      output = to;
    }
    if (to.sender().send(to.lines().of(readings.read()), to.lines()::left)) {
      to.lines().announceAgain();
    }
  }

  private Output start() {
    StatsdSender sender = new StatsdSender(host, port);
    FunctionCounter.builder("telemetry.statsd.lines", sender, StatsdSender::sent)
        .description("Lines sent to the StatsD server")
        .register(registry);
    FunctionCounter.builder("telemetry.statsd.dropped", sender, StatsdSender::dropped)
        .description("Lines that did not leave for the StatsD server, or came back")
        .register(registry);
    return new Output(new StatsdLines(new StatsdKeys(prefix, dotted)), sender);
  }

  /** Sends what came since the last flush, if there was one. */
  @Override
  public synchronized void close() {
    Output last = output;
    if (last != null) {
      flush();
      last.sender().close("");
      host = "";
    }
  }

  private static boolean isIpv6(String host) {
    try {
      return IPV6.matcher(host).matches() && InetAddress.getByName(host) != null;
    } catch (UnknownHostException e) {
      return false;
    }
  }

  private static int number(String setting, int most, String text) {
    String rule = setting + ": not a whole number from 1 to " + most;
    try {
      int number = Integer.parseInt(text.strip());
      check(number >= 1 && number <= most, rule, text);
      return number;
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(rule + ": " + text, e);
    }
  }

  private static void check(boolean right, String rule, String text) {
    if (!right) {
      throw new IllegalArgumentException(rule + ": " + text);
    }
  }
}
