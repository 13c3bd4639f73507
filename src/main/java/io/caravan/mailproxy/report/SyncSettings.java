package io.caravan.mailproxy.report;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.config.Settings;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How calls are made. */
public record SyncSettings(
    @Nullable String url,
    @Nullable String authorization,
    long intervalMillis,
    int batch,
    List<Long> retryDelaysSeconds) {

  /**
   * From the values of {@code config/application.properties}; blank is absent.
   *
   * @param url endpoint for tenants without one of their own
   * @param token for bearer authorization; wins over user and password
   * @param intervalSeconds between calls without reports
   * @param batch events in one call, at most
   * @param retryDelays seconds, comma-separated, last repeats
   */
  public SyncSettings(
      String url,
      String token,
      String user,
      String password,
      long intervalSeconds,
      int batch,
      String retryDelays) {
    this(
        url.isBlank() ? null : url,
        !token.isBlank()
            ? "Bearer " + token
            : user.isBlank() ? null : Registry.basic(user, password),
        intervalSeconds * 1000,
        batch,
        Arrays.stream(retryDelays.split(",")).map(part -> Long.valueOf(part.strip())).toList());
  }

  /** From settings {@code client.sync-*} and {@code sync.*}. */
  public static SyncSettings of(Settings settings) {
    return new SyncSettings(
        settings.text("client.sync-url"),
        settings.text("client.sync-token"),
        settings.text("client.sync-user"),
        settings.text("client.sync-password"),
        (long) settings.number("sync.interval"),
        (int) settings.number("sync.batch"),
        settings.text("sync.retry-delays"));
  }

  /** Without the secret: this text may reach a log. */
  @Override
  public String toString() {
    return "SyncSettings[" + url + "]";
  }
}
