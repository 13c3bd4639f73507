package io.caravan.mailproxy.admin;

import org.jspecify.annotations.Nullable;

/**
 * Where a tenant's application is reached.
 *
 * @param baseUrl {@code null}: nowhere
 * @param syncPath {@code null}: the usual one
 * @param setByTenant whether the tenant itself set it
 */
public record Endpoint(
    @Nullable String baseUrl,
    @Nullable String syncPath,
    @Nullable String attachmentPath,
    boolean setByTenant) {
  private static final String DEFAULT_SYNC_PATH = "/mail-proxy/sync";

  /** Whether public addresses alone may be called (DECISIONS, Guards). */
  public boolean guarded() {
    return setByTenant && baseUrl != null;
  }

  /** Where delivery reports go; {@code null}: nowhere. */
  public @Nullable String syncUrl() {
    return baseUrl == null
        ? null
        : baseUrl.replaceAll("/+$", "") + (syncPath == null ? DEFAULT_SYNC_PATH : syncPath);
  }
}
