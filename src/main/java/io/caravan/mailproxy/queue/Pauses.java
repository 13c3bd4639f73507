package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.http.Request;
import io.caravan.mailproxy.throttle.RuleBook;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an operator asks for and is told: suspend, activate, dump (genro-api 1.5; DECISIONS,
 * suspend).
 */
public final class Pauses {
  private static final String DEFAULT_TENANT = "default";
  private static final int MAX_CODE_CHARS = 64;
  private static final int MAX_CHARS = 255;

  private static final Set<String> DUMP_PARAMETERS =
      Set.of("tenant_id", "account_id", "throttle", "batch_code", "reason");

  /** Orders of one kind at the same time. */
  private static final int MAX_ORDERS = 10_000;

  private final Registry registry;
  private final RuleBook rules;
  private final Suspensions suspensions;
  private final Dumps dumps;
  private final InstantSource clock;

  /**
   * @param clock the database's clock
   */
  public Pauses(
      Registry registry,
      RuleBook rules,
      Suspensions suspensions,
      Dumps dumps,
      InstantSource clock) {
    this.registry = registry;
    this.rules = rules;
    this.suspensions = suspensions;
    this.dumps = dumps;
    this.clock = clock;
  }

  /**
   * Whose mail is meant.
   *
   * @throws Problem 400 or 422 there is no such tenant, account or rule, or a value cannot be
   */
  public Scope scope(Request request) {
    String tenant = request.tenant();
    if (!isTenant(tenant)) {
      throw new Problem(400, "tenant not found");
    }
    String account = given(request, "account_id", MAX_CHARS);
    if (account != null && registry.account(tenant, account).isEmpty()) {
      throw new Problem(400, "account not found for tenant");
    }
    String throttle = given(request, "throttle", MAX_CHARS);
    if (throttle != null && rules.keyOf(throttle).isEmpty()) {
      throw new Problem(400, "throttle rule not found");
    }
    String batch = given(request, "batch_code", MAX_CODE_CHARS);
    if (batch != null && batch.indexOf(',') >= 0) {
      throw wrong("batch_code", "Input should hold no comma");
    }
    return new Scope(tenant, account, throttle, batch);
  }

  private boolean isTenant(String id) {
    return id.equals(DEFAULT_TENANT)
        || registry.tenant(id).isPresent()
        || registry.accounts().stream().anyMatch(account -> account.tenantId().equals(id));
  }

  private static @Nullable String given(Request request, String name, int max) {
    String text = request.parameter(name).orElse("");
    if (text.length() > max || text.chars().anyMatch(Character::isISOControl)) {
      throw wrong(name, "Input should have at most " + max + " characters, none of control");
    }
    return text.isEmpty() ? null : text;
  }

  private static Problem wrong(String name, String message) {
    return Problem.invalid("value_error", List.of("query", name), message);
  }

  /**
   * Parameters for {@code suspend.sql}.
   *
   * @throws Problem 400 or 422 until_ts is no time ahead; 400 there are too many
   */
  public Map<String, @Nullable Object> suspension(Request request, Scope scope) {
    limit(suspensions.all().size());
    Map<String, @Nullable Object> values = scope.values();
    values.put("reason", given(request, "reason", MAX_CHARS));
    values.put("until", until(request));
    return values;
  }

  private @Nullable Long until(Request request) {
    String text = given(request, "until_ts", MAX_CHARS);
    if (text == null) {
      return null;
    }
    long seconds;
    try {
      seconds = Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw wrong("until_ts", "Input should be a valid integer");
    }
    if (seconds <= clock.millis() / 1000) {
      throw new Problem(400, "until_ts lies in the past");
    }
    return seconds > Long.MAX_VALUE / 1000 ? Long.MAX_VALUE : seconds * 1000;
  }

  private static void limit(int count) {
    if (count >= MAX_ORDERS) {
      throw new Problem(400, "there are " + MAX_ORDERS + " such orders already");
    }
  }

  /**
   * Parameters for {@code activate.sql}.
   *
   * @throws Problem 400 one batch, while all are suspended
   */
  public Map<String, @Nullable Object> activation(Scope scope) {
    if (scope.batchCode() != null && suspensions.besides(scope).containsKey("*")) {
      throw new Problem(
          400, "tenant not found or cannot activate single batch from full suspension");
    }
    return scope.values();
  }

  /**
   * Parameters for {@code order-dump.sql}. What is dropped cannot be had back, so a filter that is
   * blank or mistyped must not stand for all.
   *
   * @throws Problem 400 there are too many; 422 a parameter is unknown or blank
   */
  public Map<String, @Nullable Object> dump(Request request, Scope scope) {
    limit(dumps.all().size());
    for (String name : request.query().keySet()) {
      if (!DUMP_PARAMETERS.contains(name)) {
        throw Problem.invalid(
            "extra_forbidden", List.of("query", name), "Extra inputs are not permitted");
      }
      if (request.parameter(name).orElse("").isBlank()) {
        throw wrong(name, "Input should not be blank");
      }
    }
    Map<String, @Nullable Object> values = scope.values();
    values.put("reason", given(request, "reason", MAX_CHARS));
    return values;
  }

  /** The answer to suspend and activate; the rows are those of {@code count-scope.sql}. */
  public Map<String, Object> suspended(List<Map<String, Object>> rows, Scope scope) {
    Map<String, Suspension> now = suspensions.besides(scope);
    Map<String, Object> answer = answer(scope);
    answer.put(
        "suspended_batches",
        now.containsKey("*") ? List.of("*") : now.keySet().stream().sorted().toList());
    answer.put("pending_messages", new Row(rows.get(0)).number("pending"));
    return answer;
  }

  /** The answer to a dump. */
  public Map<String, Object> dumped(List<Map<String, Object>> rows, Scope scope) {
    Map<String, Object> answer = answer(scope);
    answer.put("pending_messages", new Row(rows.get(0)).number("pending"));
    return answer;
  }

  private static Map<String, Object> answer(Scope scope) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.putAll(scope.told());
    return answer;
  }

  /** What is in force, of one tenant where the query names it. */
  public Map<String, Object> list(Request request) {
    String tenant = request.parameter("tenant_id").orElse("");
    List<Map<String, Object>> told = new ArrayList<>();
    for (Suspension suspension : suspensions.all()) {
      if (tenant.isEmpty() || suspension.scope().tenantId().equals(tenant)) {
        told.add(told(suspension));
      }
    }
    List<Map<String, Object>> dropped = new ArrayList<>();
    for (Dumps.Dump dump : dumps.all()) {
      if (tenant.isEmpty() || dump.scope().tenantId().equals(tenant)) {
        dropped.add(told(dump.scope(), dump.reason(), null, dump.createdAt()));
      }
    }
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.put("suspensions", told);
    answer.put("dumps", dropped);
    return answer;
  }

  private static Map<String, Object> told(Suspension suspension) {
    return told(
        suspension.scope(), suspension.reason(), suspension.untilAt(), suspension.createdAt());
  }

  private static Map<String, Object> told(
      Scope scope, @Nullable String reason, @Nullable Long untilAt, long createdAt) {
    Map<String, Object> told = scope.told();
    if (reason != null) {
      told.put("reason", reason);
    }
    if (untilAt != null) {
      told.put("until_ts", untilAt / 1000);
    }
    told.put("created_ts", createdAt / 1000);
    return told;
  }
}
