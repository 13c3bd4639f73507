package io.caravan.mailproxy.admin;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.http.Request;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Quota;
import io.caravan.mailproxy.secret.LockedException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Accounts and tenants as the store has them, kept in memory: read at start, told of each change by
 * the routes that make it.
 */
public final class Registry implements Directory {
  /** Value of columns {@code set_by} and {@code url_set_by}: the tenant itself. */
  static final String TENANT = "tenant";

  /** The same: the administrator, whom private addresses are open to. */
  static final String ADMIN = "admin";

  /** Told of accounts that come and go. */
  public interface Listener {
    void added(Account account);

    /** The last account of this id is gone. */
    void gone(Account account);
  }

  private final Map<Long, Account> accounts = new ConcurrentHashMap<>();
  private final Map<Key, Account> byId = new ConcurrentHashMap<>();
  private final Set<Long> holding = ConcurrentHashMap.newKeySet();
  private final Map<Long, String> locked = new ConcurrentHashMap<>();
  private final Map<String, Tenant> tenants = new ConcurrentHashMap<>();
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();
  private final Database database;
  private final Secrets secrets;
  private final NewAccounts newAccounts;

  private record Key(String tenantId, String accountId) {}

  /** Reads the tables {@code account} and {@code tenant}. */
  public Registry(Database database, Secrets secrets) {
    this.database = database;
    this.secrets = secrets;
    this.newAccounts = new NewAccounts(database);
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

  /**
   * {@inheritDoc} Another node may have made it this moment.
   *
   * @throws Problem 503 the store does not answer
   */
  @Override
  public Optional<Account> find(String tenantId, String accountId) {
    if (database.isShared() && account(tenantId, accountId).isEmpty()) {
      List<Map<String, Object>> rows = newAccounts.look(tenantId, accountId);
      if (account(tenantId, accountId).isEmpty()) {
        accountsChanged(rows);
      }
    }
    return account(tenantId, accountId);
  }

  @Override
  public Optional<Account> account(long pk) {
    return Optional.ofNullable(accounts.get(pk));
  }

  @Override
  public boolean holdsUncertain(long pk) {
    return holding.contains(pk);
  }

  @Override
  public Map<Long, String> locked() {
    return Map.copyOf(locked);
  }

  @Override
  public boolean isLocked(long pk) {
    return locked.containsKey(pk);
  }

  @Override
  public Optional<SenderDomains> senders(String tenantId) {
    return tenant(tenantId).map(Tenant::senders);
  }

  /** All accounts, in no order. */
  public Collection<Account> accounts() {
    return accounts.values();
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

  /**
   * Whether there is the tenant that the path names. Not by its id: a bean's argument of {@code
   * null} would be none.
   *
   * @throws Problem 404 there is none
   */
  public void requireTenant(Request request) {
    String id = request.segment(1);
    if (!tenants.containsKey(id)) {
      throw TenantForm.missing(id);
    }
  }

  public Collection<Tenant> tenants() {
    return tenants.values();
  }

  /** Rows of table {@code account} that were inserted or updated. */
  public void accountsChanged(List<Map<String, Object>> rows) {
    for (Row row : Row.all(rows)) {
      Account account = account(row, password(row));
      if ("hold".equals(row.textOrNull("on_uncertain"))) {
        holding.add(account.pk());
      } else {
        holding.remove(account.pk());
      }
      accounts.put(account.pk(), account);
      byId.put(new Key(account.tenantId(), account.id()), account);
      listeners.forEach(listener -> listener.added(account));
    }
  }

  /** Rows of table {@code account} that were deleted. */
  public void accountsDeleted(List<Map<String, Object>> rows) {
    Row.all(rows).forEach(row -> remove(account(row, null)));
  }

  private void remove(Account account) {
    accounts.remove(account.pk());
    locked.remove(account.pk());
    holding.remove(account.pk());
    byId.computeIfPresent( // its successor has the same id
        new Key(account.tenantId(), account.id()),
        (key, now) -> now.pk() == account.pk() ? null : now);
    if (tenantsWithAccount(account.id()).isEmpty()) {
      listeners.forEach(listener -> listener.gone(account));
    }
  }

  /**
   * All rows of table {@code account} as they are now, whoever wrote them.
   *
   * @return of those that are others than before the key {@code pk}, and whether they are {@code
   *     gone}
   */
  public List<Map<String, Object>> accountsAre(List<Map<String, Object>> rows) {
    List<Map<String, Object>> others = new ArrayList<>();
    Set<Long> there = new HashSet<>();
    for (Map<String, Object> columns : rows) {
      Row row = new Row(columns);
      long pk = row.number("pk");
      there.add(pk);
      Account known = accounts.get(pk);
      if (known == null || known.revision() != row.number("revision")) {
        accountsChanged(List.of(columns));
        others.add(Map.of("pk", pk, "gone", false));
      }
    }
    for (Account account : List.copyOf(accounts.values())) {
      if (!there.contains(account.pk())) {
        remove(account);
        others.add(Map.of("pk", account.pk(), "gone", true));
      }
    }
    return others;
  }

  /** All rows of table {@code tenant} as they are now, whoever wrote them. */
  public void tenantsAre(List<Map<String, Object>> rows) {
    tenantsChanged(rows);
    tenants.keySet().retainAll(Row.all(rows).stream().map(row -> row.text("id")).toList());
  }

  /** Rows of table {@code tenant} that were inserted or updated. */
  public void tenantsChanged(List<Map<String, Object>> rows) {
    for (Row row : Row.all(rows)) {
      Tenant tenant = tenant(row);
      tenants.put(tenant.id(), tenant);
    }
  }

  /** The tenant that the path names was deleted. */
  public void tenantDeleted(Request request) {
    tenants.remove(request.segment(1));
  }

  private @Nullable String password(Row row) {
    try {
      locked.remove(row.number("pk"));
      return secrets.password(row);
    } catch (LockedException e) {
      locked.put(row.number("pk"), e.getMessage());
      return null;
    }
  }

  private static Account account(Row row, @Nullable String password) {
    return new Account(
        row.number("pk"),
        row.number("revision"),
        row.text("tenant_id"),
        row.text("id"),
        Account.Type.valueOf(row.text("type").toUpperCase(java.util.Locale.ROOT)),
        row.text("host"),
        (int) row.number("port"),
        row.textOrNull("user"),
        password,
        row.flagOrNull("use_tls"),
        (int) row.number("ttl"),
        (int) row.number("max_connections"),
        (int) row.number("max_messages_per_connection"),
        row.countOrNull("limit_per_second"),
        row.textOrNull("local_address"),
        row.textOrNull("tls_ca"),
        row.textOrNull("failover_account_id"),
        row.text("set_by").equals(TENANT),
        new Quota(
            row.countOrNull("limit_per_minute"),
            row.countOrNull("limit_per_hour"),
            row.countOrNull("limit_per_day"),
            row.text("limit_behavior").equals("reject")));
  }

  private Tenant tenant(Row row) {
    String authorization = null;
    String why = null;
    try {
      authorization = ClientAuth.header(secrets.clientAuth(row));
    } catch (LockedException e) {
      why = e.getMessage();
    }
    return new Tenant(
        row.text("id"),
        authorization,
        why,
        new Endpoint(
            row.textOrNull("client_base_url"),
            row.textOrNull("client_sync_path"),
            row.textOrNull("client_attachment_path"),
            row.text("url_set_by").equals(TENANT)),
        senders(row),
        row.number("active") != 0);
  }

  private static @Nullable SenderDomains senders(Row row) {
    String json = row.textOrNull("allowed_sender_domains");
    return json == null ? null : SenderDomains.of(json);
  }
}
