package io.caravan.mailproxy.admin;

import org.jspecify.annotations.Nullable;

/**
 * A client of this installation.
 *
 * @param authorization value of the Authorization header on calls to it; {@code null}: none
 * @param syncUrl where its delivery reports go; {@code null}: nowhere of its own
 * @param active whether it gets calls without reports too
 */
public record Tenant(
    String id, @Nullable String authorization, @Nullable String syncUrl, boolean active) {

  /** Without the secret: this text may reach a log. */
  @Override
  public String toString() {
    return "Tenant[" + id + "]";
  }
}
