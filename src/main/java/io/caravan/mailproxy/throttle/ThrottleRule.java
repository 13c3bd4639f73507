package io.caravan.mailproxy.throttle;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An explicit limit for recipient domains; each account's mail to them is a lane of its own.
 *
 * @param domains names, and {@code *.name} for all below a name; lower case, A-labels
 * @param maxConnections connections of one lane at the same time; {@code null}: the account's
 * @param messagesPerHour SMTP transactions of one lane in any 3,600 seconds; {@code null}: no limit
 */
public record ThrottleRule(
    long pk,
    String name,
    List<String> domains,
    @Nullable Integer maxConnections,
    @Nullable Integer messagesPerHour) {

  /** The label of lanes that no rule is for (second seed, {@code throttle}). */
  public static final String DEFAULT_NAME = "__default";
}
