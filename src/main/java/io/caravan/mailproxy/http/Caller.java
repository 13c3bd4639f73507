package io.caravan.mailproxy.http;

import org.jspecify.annotations.Nullable;

/**
 * Who makes a request.
 *
 * @param tenantId the tenant whose token it is; {@code null}: the administrator
 */
public record Caller(@Nullable String tenantId) {
  /** The administrator, and what this installation does by itself. */
  public static final Caller ADMIN = new Caller(null);
}
