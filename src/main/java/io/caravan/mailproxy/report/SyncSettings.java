package io.caravan.mailproxy.report;

import io.caravan.mailproxy.admin.ClientAuth;
import io.caravan.mailproxy.admin.ClientUrl;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How calls are made. Set by name, not by constructor: as a constructor's argument a password such
 * as {@code 123456} or {@code it's} would not be taken for text.
 */
public final class SyncSettings {
  private String url = "";
  private String token = "";
  private String user = "";
  private String password = "";
  private long interval = 300;
  private int batch = 1000;
  private List<Long> retryDelays = List.of();

  /**
   * Endpoint for tenants without one of their own; blank is none.
   *
   * @throws IllegalArgumentException it cannot be called
   */
  public void setUrl(String url) {
    if (!url.isBlank() && !ClientUrl.usable(url.strip())) {
      throw new IllegalArgumentException("client.sync-url is not " + ClientUrl.FORM);
    }
    this.url = url.strip();
  }

  /** For bearer authorization; wins over user and password. */
  public void setToken(String token) {
    this.token = token;
  }

  public void setUser(String user) {
    this.user = user;
  }

  public void setPassword(String password) {
    this.password = password;
  }

  /** Seconds between calls without reports. */
  public void setInterval(long interval) {
    this.interval = interval;
  }

  /** Events in one call, at most. */
  public void setBatch(int batch) {
    this.batch = batch;
  }

  /** Seconds, comma-separated, last repeats. */
  public void setRetryDelays(String retryDelays) {
    this.retryDelays =
        Arrays.stream(retryDelays.split(",")).map(part -> Long.valueOf(part.strip())).toList();
  }

  @Nullable String url() {
    return url.isBlank() ? null : url;
  }

  @Nullable String authorization() {
    if (!token.isBlank()) {
      return "Bearer " + token;
    }
    return user.isBlank() ? null : ClientAuth.basic(user, password);
  }

  long intervalMillis() {
    return TimeUnit.SECONDS.toMillis(interval);
  }

  int batch() {
    return batch;
  }

  List<Long> retryDelaysSeconds() {
    return retryDelays;
  }
}
