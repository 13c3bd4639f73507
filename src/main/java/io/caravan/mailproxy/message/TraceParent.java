package io.caravan.mailproxy.message;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where in a trace a message came from: header {@code traceparent} of W3C Trace Context, section
 * 3.2.
 *
 * @param traceId 32 hexadecimal digits, lower case, not all 0
 * @param spanId 16 such digits, not all 0: the span that asked for the message
 * @param sampled whether the caller may have recorded that span
 */
public record TraceParent(String traceId, String spanId, boolean sampled) {
  /** The header's name, and that of the exchange property which holds it. */
  public static final String NAME = "traceparent";

  /** A later version may go on after the flags; version ff is none. */
  private static final Pattern FORM =
      Pattern.compile(
          "(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?");

  private static final String VERSION = "00";

  /**
   * Reads the header, or what {@link #text} made.
   *
   * @return {@code null}: it is none, or not valid; section 3.2.2.3 has it ignored then
   */
  public static @Nullable TraceParent parse(@Nullable String text) {
    Matcher form = FORM.matcher(text == null ? "" : text);
    if (!form.matches() || (form.group(5) != null && form.group(1).equals(VERSION))) {
      return null;
    }
    return new TraceParent(
        form.group(2), form.group(3), (Integer.parseInt(form.group(4), 16) & 1) == 1);
  }

  /** As a header of version 00, 55 characters. */
  public String text() {
    return VERSION + "-" + traceId + "-" + spanId + (sampled ? "-01" : "-00");
  }
}
