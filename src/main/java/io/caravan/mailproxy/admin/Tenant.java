package io.caravan.mailproxy.admin;

import org.jspecify.annotations.Nullable;

/**
 * A client of this installation.
 *
 * @param authorization value of the Authorization header on calls to it; {@code null}: none
 * @param locked why that is not known, as no loaded key opens it: then nobody may call; {@code
 *     null}: it is
 * @param endpoint where it is reached
 * @param senders whom it may send as; {@code null}: anybody
 * @param active whether it gets calls without reports too
 */
public record Tenant(
    String id,
    @Nullable String authorization,
    @Nullable String locked,
    Endpoint endpoint,
    @Nullable SenderDomains senders,
    boolean active) {

  /**
   * The header for a call to it.
   *
   * @throws IllegalStateException it is locked: a call without it would not be what it asked for
   */
  @Override
  public @Nullable String authorization() {
    if (locked != null) {
      throw new IllegalStateException("tenant " + id + " is locked, " + locked);
    }
    return authorization;
  }

  /** Without the secret: this text may reach a log. */
  @Override
  public String toString() {
    return "Tenant[" + id + "]";
  }
}
