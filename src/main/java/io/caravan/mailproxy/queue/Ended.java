package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.Settled;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A message that came to its end without an attempt: given up, or settled by hand.
 *
 * @param id the client's
 * @param accountId the account the client named
 * @param text why it was not sent; {@code null}: it was
 */
public record Ended(
    String tenantId, String id, String accountId, Settled.Fate fate, @Nullable String text) {

  /** For Simple in routes. */
  public String getFateName() {
    return fate.name().toLowerCase(Locale.ROOT);
  }
}
