package io.caravan.mailproxy.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravan.mailproxy.http.Caller;
import io.caravan.mailproxy.http.Contract;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.JsonFields;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.http.Request;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code config/mail-proxy.yaml} declares: at each start its fields win over what the store
 * has, and the API does not change them. What is not declared is left alone.
 */
public final class Declared {
  private static final String RULES = "throttle_rules";
  private static final String TENANT = "tenant_id";
  private static final String DEFAULT_TENANT = "default";

  private static final Set<String> FLAGS = Set.of("use_tls", "is_pec_account");

  /** Columns that are no fields of an account. */
  private static final Set<String> OURS =
      Set.of("pk", "revision", "password", "imap_password", "created_at", "updated_at");

  private record Key(String tenantId, String id) {}

  private final Map<String, ObjectNode> tenants = new LinkedHashMap<>();
  private final Map<Key, ObjectNode> accounts = new LinkedHashMap<>();
  private final Map<String, ObjectNode> rules = new LinkedHashMap<>();

  /**
   * Reads and checks the file.
   *
   * @param home folder from which a relative path starts
   * @param path blank: nothing is declared
   * @throws IllegalStateException something is wrong in it; the message says where
   */
  public Declared(String home, String path) {
    if (path.isBlank()) {
      return;
    }
    DeclaredFile file = new DeclaredFile(Path.of(home).resolve(path), System::getenv);
    JsonNode root = file.read();
    if (!(root instanceof ObjectNode object)) {
      throw file.wrong(root, "it should hold tenants, accounts and throttle_rules");
    }
    known(file, object, Set.of("tenants", "accounts", RULES));
    JsonNode schemas =
        root.isEmpty() ? root : Contract.document().path("components").path("schemas");
    for (ObjectNode one : entries(file, object, "tenants")) {
      known(file, one, fields(schemas.path("TenantFields"), "id"));
      checked(file, one, () -> TenantForm.declared(one));
      twice(file, one, tenants.put(one.path("id").textValue(), one));
    }
    for (ObjectNode one : entries(file, object, "accounts")) {
      known(file, one, fields(schemas.path("Account"), "id"));
      checked(file, one, () -> AccountForm.read(new JsonFields(one), Caller.ADMIN));
      twice(file, one, accounts.put(key(one), one));
    }
    for (ObjectNode one : entries(file, object, RULES)) {
      checked(file, one, () -> RuleForm.read(list(List.of(one))));
      twice(file, one, rules.put(one.path("name").textValue(), one));
    }
  }

  private static Set<String> fields(JsonNode schema, String further) {
    Set<String> names = new HashSet<>(Set.of(further));
    schema.path("properties").fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static void known(DeclaredFile file, ObjectNode object, Set<String> fields) {
    object
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (!fields.contains(name)) {
                throw file.wrong(object, "there is no field " + name + " here");
              }
            });
  }

  private static List<ObjectNode> entries(DeclaredFile file, ObjectNode root, String name) {
    List<ObjectNode> entries = new ArrayList<>();
    JsonNode list = root.path(name);
    if (!list.isMissingNode() && !list.isNull() && !list.isArray()) {
      throw file.wrong(root, name + " should be a list");
    }
    for (JsonNode item : list) {
      if (!(item instanceof ObjectNode object)) {
        throw file.wrong(root, name + " should be a list of mappings");
      }
      entries.add(object);
    }
    return entries;
  }

  private static void checked(DeclaredFile file, ObjectNode object, Runnable check) {
    try {
      check.run();
    } catch (Problem e) {
      throw file.wrong(object, e.told());
    }
  }

  private static void twice(DeclaredFile file, ObjectNode object, @Nullable ObjectNode before) {
    if (before != null) {
      throw file.wrong(object, "it is declared twice");
    }
  }

  private static Key key(JsonNode account) {
    return new Key(account.path(TENANT).asText(DEFAULT_TENANT), account.path("id").asText());
  }

  private static ObjectNode list(Iterable<? extends JsonNode> items) {
    ArrayNode list = JsonNodeFactory.instance.arrayNode();
    items.forEach(list::add);
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    body.set(RULES, list);
    return body;
  }

  /** The values for {@code update-tenant.sql} of each tenant. */
  public List<Map<String, @Nullable Object>> tenants() {
    return tenants.values().stream().map(TenantForm::declared).toList();
  }

  /** The accounts, each as the body of a request that adds it. */
  public List<ObjectNode> accounts() {
    return List.copyOf(accounts.values());
  }

  /** Parameters for {@code find-account.sql}. */
  public Map<String, Object> place(ObjectNode account) {
    return Map.of("tenant", key(account).tenantId(), "id", key(account).id());
  }

  /**
   * The values for {@code upsert-account.sql}: what the store has, and over it what is declared.
   *
   * @param rows of {@code find-account.sql}
   */
  public Map<String, Object> over(List<Map<String, Object>> rows, ObjectNode declared) {
    ObjectNode whole = JsonNodeFactory.instance.objectNode();
    for (Map<String, Object> row : rows) {
      row.forEach(
          (column, value) -> {
            if (FLAGS.contains(column) && value instanceof Number flag) {
              whole.put(column, flag.longValue() != 0);
            } else if (!OURS.contains(column)) {
              whole.putPOJO(column, value);
            }
          });
    }
    ObjectNode merged = Json.tree(whole.toString()).deepCopy();
    merged.setAll(declared);
    Map<String, Object> values = AccountForm.read(new JsonFields(merged), Caller.ADMIN);
    values.put("keep", 1);
    if (!declared.has("host")) {
      rows.forEach(row -> values.put("setBy", row.get("set_by")));
    }
    return values;
  }

  /**
   * The declared rules first, then the others that there are; null: no rule is declared.
   *
   * @param listed the answer of {@code GET /throttle-rules}
   */
  public @Nullable String rules(Map<String, Object> listed) {
    if (rules.isEmpty()) {
      return null;
    }
    Map<String, JsonNode> all = new LinkedHashMap<>(rules);
    Json.tree(Json.text(listed))
        .path(RULES)
        .forEach(rule -> all.putIfAbsent(rule.path("name").asText(), rule));
    return RuleForm.read(list(all.values()));
  }

  /**
   * Whether an account may become this.
   *
   * @throws Problem 409 a declared field would change
   */
  public void checkAccount(JsonNode body, Caller caller) {
    String tenant =
        body.path(TENANT).asText(caller.tenantId() == null ? DEFAULT_TENANT : caller.tenantId());
    same(accounts.get(new Key(tenant, body.path("id").asText())), body, true);
  }

  /**
   * Whether an account may be deleted.
   *
   * @throws Problem 409 it is declared
   */
  public void checkDelete(Request request) {
    if (accounts.containsKey(new Key(request.tenant(), request.segment(1)))) {
      throw declared("this account");
    }
  }

  /**
   * Whether the tenant that the path names may be deleted.
   *
   * @throws Problem 409 it, or an account of it, is declared
   */
  public void checkEnd(Request request) {
    String tenant = request.segment(1);
    if (tenants.containsKey(tenant)
        || accounts.keySet().stream().anyMatch(key -> key.tenantId().equals(tenant))) {
      throw declared("this tenant");
    }
  }

  /**
   * Whether a tenant may be replaced by this.
   *
   * @throws Problem 409 a declared field would change
   */
  public void checkTenant(JsonNode body) {
    same(tenants.get(body.path("id").asText()), body, true);
  }

  /**
   * Whether these fields of a tenant may be changed.
   *
   * @throws Problem 409 one of them is declared, with another value
   */
  public void checkChange(JsonNode body, Request request) {
    same(tenants.get(request.segment(1)), body, false);
  }

  /**
   * Whether these rules may stand in the place of all.
   *
   * @throws Problem 409 a declared one would change or go
   */
  public void checkRules(JsonNode body) {
    Map<String, JsonNode> wanted = new LinkedHashMap<>();
    body.path(RULES).forEach(rule -> wanted.put(rule.path("name").asText(), rule));
    rules.forEach((name, rule) -> same(rule, wanted.getOrDefault(name, rule.objectNode()), true));
  }

  private static void same(@Nullable ObjectNode declared, JsonNode wanted, boolean whole) {
    if (declared == null) {
      return;
    }
    for (Map.Entry<String, JsonNode> field : declared.properties()) {
      JsonNode value = wanted.path(field.getKey());
      boolean left = value.isMissingNode() || value.isNull();
      boolean identity = field.getKey().equals("id") || field.getKey().equals(TENANT);
      if (!identity && (left ? whole : !value.equals(field.getValue()))) {
        throw declared("field " + field.getKey());
      }
    }
  }

  private static Problem declared(String what) {
    return new Problem(409, "declared", what + " is declared in a file and does not change here");
  }
}
