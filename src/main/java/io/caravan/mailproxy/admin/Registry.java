package io.caravan.mailproxy.admin;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.message.Account;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Accounts and tenants as the store has them, kept in memory: read at start, told of each change by
 * the routes that make it.
 */
public final class Registry implements Directory {
  private static final String DEFAULT_SYNC_PATH = "/mail-proxy/sync";

  /** Told of accounts that come and go. */
  public interface Listener {
    void added(Account account);

    /** The last account of this id is gone. */
    void gone(Account account);
  }

  private final Map<Long, Account> accounts = new ConcurrentHashMap<>();
  private final Map<Key, Account> byId = new ConcurrentHashMap<>();
  private final Map<String, Tenant> tenants = new ConcurrentHashMap<>();
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();

  private record Key(String tenantId, String accountId) {}

  /** Reads the tables {@code account} and {@code tenant}. */
  public Registry(Database database) {
    accountsChanged(database.rows("accounts"));
    tenantsChanged(database.rows("tenants"));
  }

  /** Calls back for each account there is, and for each change from now on. */
  public void listen(Listener listener) {
    listeners.add(listener);
    accounts.values().forEach(listener::added);
  }

  @Override
  public Optional<Account> account(String tenantId, String accountId) {
    return Optional.ofNullable(byId.get(new Key(tenantId, accountId)));
  }

  @Override
  public Optional<Account> account(long pk) {
    return Optional.ofNullable(accounts.get(pk));
  }

  @Override
  public List<String> tenantsWithAccount(String accountId) {
    List<String> found = new ArrayList<>();
    for (Key key : byId.keySet()) {
      if (key.accountId().equals(accountId)) {
        found.add(key.tenantId());
      }
    }
    return found;
  }

  public Optional<Tenant> tenant(String id) {
    return Optional.ofNullable(tenants.get(id));
  }

  public Collection<Tenant> tenants() {
    return tenants.values();
  }

  /** Rows of table {@code account} that were inserted or updated. */
  public void accountsChanged(List<Map<String, Object>> rows) {
    for (Map<String, Object> row : rows) {
      Account account = account(row);
      accounts.put(account.pk(), account);
      byId.put(new Key(account.tenantId(), account.id()), account);
      listeners.forEach(listener -> listener.added(account));
    }
  }

  /** Rows of table {@code account} that were deleted. */
  public void accountsDeleted(List<Map<String, Object>> rows) {
    for (Map<String, Object> row : rows) {
      Account account = account(row);
      accounts.remove(account.pk());
      byId.remove(new Key(account.tenantId(), account.id()));
      if (tenantsWithAccount(account.id()).isEmpty()) {
        listeners.forEach(listener -> listener.gone(account));
      }
    }
  }

  /** Rows of table {@code tenant} that were inserted or updated. */
  public void tenantsChanged(List<Map<String, Object>> rows) {
    for (Map<String, Object> row : rows) {
      Tenant tenant = tenant(row);
      tenants.put(tenant.id(), tenant);
    }
  }

  private static Account account(Map<String, Object> row) {
    return new Account(
        number(row, "pk"),
        number(row, "revision"),
        required(row, "tenant_id"),
        required(row, "id"),
        Account.Type.valueOf(required(row, "type").toUpperCase(java.util.Locale.ROOT)),
        required(row, "host"),
        (int) number(row, "port"),
        text(row, "user"),
        text(row, "password"),
        row.get("use_tls") == null ? null : number(row, "use_tls") != 0,
        (int) number(row, "ttl"),
        (int) number(row, "max_connections"),
        (int) number(row, "max_messages_per_connection"),
        row.get("limit_per_second") == null ? null : (int) number(row, "limit_per_second"),
        text(row, "local_address"),
        text(row, "tls_ca"));
  }

  private static Tenant tenant(Map<String, Object> row) {
    String base = text(row, "client_base_url");
    String path = text(row, "client_sync_path");
    return new Tenant(
        required(row, "id"),
        authorization(text(row, "client_auth")),
        base == null
            ? null
            : base.replaceAll("/+$", "") + (path == null ? DEFAULT_SYNC_PATH : path),
        number(row, "active") != 0);
  }

  /** The header that {@code client_auth} stands for (genro-api 4.1). */
  private static @Nullable String authorization(@Nullable String clientAuth) {
    if (clientAuth == null) {
      return null;
    }
    var auth = Json.tree(clientAuth);
    return switch (auth.path("method").asText()) {
      case "bearer" -> "Bearer " + auth.path("token").asText();
      case "basic" -> basic(auth.path("user").asText(), auth.path("password").asText());
      default -> null;
    };
  }

  /** HTTP Basic (RFC 7617). */
  public static String basic(String user, String password) {
    return "Basic "
        + Base64.getEncoder()
            .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
  }

  private static long number(Map<String, Object> row, String column) {
    if (row.get(column) instanceof Number number) {
      return number.longValue();
    }
    throw new IllegalStateException("column " + column + " holds no number");
  }

  private static @Nullable String text(Map<String, Object> row, String column) {
    return (String) row.get(column);
  }

  private static String required(Map<String, Object> row, String column) {
    String text = text(row, column);
    if (text == null) {
      throw new IllegalStateException("column " + column + " is null");
    }
    return text;
  }
}
