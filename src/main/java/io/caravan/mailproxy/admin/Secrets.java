package io.caravan.mailproxy.admin;

import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.secret.Keyring;
import io.caravan.mailproxy.secret.LockedException;
import io.caravan.mailproxy.secret.Place;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Seals the secrets of accounts, tenants and the instance on their way to the store, and opens them
 * again.
 */
public final class Secrets {
  private final Keyring keyring;

  public Secrets(Keyring keyring) {
    this.keyring = keyring;
  }

  /** The values for {@code upsert-account.sql}, sealed in place. */
  public void sealAccount(Map<String, Object> values) {
    Row row = new Row(values);
    String tenant = row.text("tenant");
    String id = row.text("id");
    seal(values, "password", Place.password(tenant, id));
    seal(values, "imapPassword", Place.imapPassword(tenant, id));
  }

  /** The values for {@code upsert-tenant.sql}, sealed in place. */
  public void sealTenant(Map<String, Object> values) {
    seal(values, "client_auth", Place.clientAuth(new Row(values).text("id")));
  }

  /** The values for {@code update-instance.sql}, sealed in place. */
  public void sealInstance(Map<String, Object> values) {
    seal(values, "bounce_imap_password", Place.bouncePassword());
  }

  private void seal(Map<String, Object> values, String name, Place place) {
    values.computeIfPresent(name, (key, plain) -> keyring.seal(place, (String) plain));
  }

  /**
   * The password of a row of table {@code account}; {@code null}: it has none.
   *
   * @throws LockedException no loaded key opens it
   */
  @Nullable String password(Row row) throws LockedException {
    String value = row.textOrNull("password");
    return value == null
        ? null
        : keyring.open(Place.password(row.text("tenant_id"), row.text("id")), value);
  }

  /**
   * The {@code client_auth} of a row of table {@code tenant}; {@code null}: it has none.
   *
   * @throws LockedException no loaded key opens it
   */
  @Nullable String clientAuth(Row row) throws LockedException {
    String value = row.textOrNull("client_auth");
    return value == null ? null : keyring.open(Place.clientAuth(row.text("id")), value);
  }
}
