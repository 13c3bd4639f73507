package io.caravan.mailproxy.admin;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.JsonFields;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Exchange;

/** Body of {@code PUT /throttle-rules}, checked (DECISIONS, Names). */
public final class RuleForm {
  private static final int MAX_RULES = 1_000;
  private static final int MAX_DOMAINS = 10_000;
  private static final int MAX_NAME = 64;
  private static final int MAX_CONNECTIONS = 1_000;
  private static final Set<String> FIELDS =
      Set.of("name", "domains", "max_connections", "messages_per_hour");

  /** Stands for lanes without a rule. */
  private static final String RESERVED = "__default";

  /**
   * The rules as a JSON array for {@code upsert-rules.sql}; replaces the body.
   *
   * @throws io.caravan.mailproxy.http.Problem 422 something does not fit
   */
  public String read(Exchange exchange) {
    return read(exchange.getMessage().getBody(JsonNode.class));
  }

  static String read(JsonNode body) {
    JsonFields form = new JsonFields(body);
    JsonNode list = form.node("throttle_rules");
    if (list == null || !list.isArray() || list.size() > MAX_RULES) {
      throw form.wrong(
          "throttle_rules", "Input should be a list of at most " + MAX_RULES + " rules");
    }
    List<Map<String, Object>> rules = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (JsonNode item : list) {
      JsonFields rule = new JsonFields(item, "body", "throttle_rules", rules.size());
      item.fieldNames().forEachRemaining(field -> check(rule, field));
      String name = rule.required("name", MAX_NAME);
      if (name.equals(RESERVED) || !names.add(name)) {
        throw rule.wrong("name", "Input should be a name of its own");
      }
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("name", name);
      row.put("domains", domains(rule));
      row.put("max_connections", rule.number("max_connections", 1, MAX_CONNECTIONS, null));
      row.put("messages_per_hour", rule.number("messages_per_hour", 1, Integer.MAX_VALUE, null));
      rules.add(row);
    }
    return Json.text(rules);
  }

  /** A limit of a mistyped name would be none. */
  private static void check(JsonFields rule, String field) {
    if (!FIELDS.contains(field)) {
      throw rule.wrong(field, "Extra inputs are not permitted");
    }
  }

  private static List<String> domains(JsonFields rule) {
    JsonNode list = rule.node("domains");
    if (list == null || !list.isArray() || list.isEmpty() || list.size() > MAX_DOMAINS) {
      throw rule.wrong("domains", "Input should be a list of 1 to " + MAX_DOMAINS + " domains");
    }
    List<String> domains = new ArrayList<>();
    for (JsonNode item : list) {
      domains.add(DomainPattern.read(rule, "domains", item.asText()));
    }
    return domains;
  }
}
