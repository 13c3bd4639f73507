package io.caravan.mailproxy.telemetry;

import java.net.IDN;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The StatsD keys of the documented families (telemetry.md section 1, rules 1 to 5 and 8). */
final class StatsdKeys {
  /** Stands for the host's name in a prefix. */
  static final String ME = "{me}";

  /** Letters, digits and hyphens in a row, one of them at least not ASCII. */
  private static final Pattern INTERNATIONAL =
      Pattern.compile("[-\\p{Alnum}]*[^\\p{ASCII}][-\\p{Alnum}[^\\p{ASCII}]]*");

  private static final int FIRST_NOT_ASCII = 0x80;

  private final String prefix;
  private final boolean dotted;

  /**
   * @param prefix what all keys begin with, {@value #ME} not yet replaced; blank: nothing
   * @param dotted whether each {@code _} of a family's own name becomes a dot, as older keys had it
   */
  StatsdKeys(String prefix, boolean dotted) {
    String mine = prefix.contains(ME) ? prefix.replace(ME, plain(hostName())) : prefix;
    this.prefix = mine.isBlank() ? "" : mine + ".";
    this.dotted = dotted;
  }

  /**
   * The key of a series.
   *
   * @param values of the family's labels, in their order; an empty one is as none
   */
  String of(Catalogue.Family family, List<String> values) {
    StringBuilder key = new StringBuilder(prefix);
    key.append(dotted ? family.statsd().replace('_', '.') : family.statsd());
    for (int i = 0; i < values.size(); i++) {
      if (!values.get(i).isEmpty()) {
        key.append('.').append(family.labels().get(i).name()).append('_');
        key.append(plain(values.get(i)));
      }
    }
    return key.toString();
  }

  /**
   * What is no ASCII letter or digit becomes {@code _}; international names become A-labels before
   * that (RFC 5890), where they can.
   */
  private static String plain(String value) {
    boolean ascii = value.chars().allMatch(c -> c < FIRST_NOT_ASCII);
    StringBuilder plain = new StringBuilder(value.length());
    (ascii ? value : INTERNATIONAL.matcher(value).replaceAll(StatsdKeys::aLabel))
        .codePoints()
        .forEach(c -> plain.append(isLetterOrDigit(c) ? (char) c : '_'));
    return plain.toString();
  }

  private static boolean isLetterOrDigit(int c) {
    return c < FIRST_NOT_ASCII && Character.isLetterOrDigit(c);
  }

  private static String aLabel(MatchResult name) {
    try {
      return Matcher.quoteReplacement(IDN.toASCII(name.group()));
    } catch (IllegalArgumentException e) {
      return Matcher.quoteReplacement(name.group());
    }
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }
}
