package io.caravan.mailproxy.throttle;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.message.LaneKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The throttle rules as the store has them, in memory; the first one that matches wins. */
public final class RuleBook {
  private static final String WILDCARD = "*.";

  private volatile Pages pages = new Pages(List.of());

  /** Reads table {@code throttle_rule}. */
  public RuleBook(Database database) {
    changed(database.rows("throttle-rules"));
  }

  /** All rules at one moment, by what they are asked for. */
  private static final class Pages {
    final List<ThrottleRule> rules;
    final Map<Long, ThrottleRule> byPk = new HashMap<>();

    /** Places in {@code rules}. */
    final Map<String, Integer> exact = new HashMap<>();

    final Map<String, Integer> below = new HashMap<>();

    Pages(List<ThrottleRule> rules) {
      this.rules = rules;
      for (int place = 0; place < rules.size(); place++) {
        byPk.put(rules.get(place).pk(), rules.get(place));
        for (String domain : rules.get(place).domains()) {
          if (domain.startsWith(WILDCARD)) {
            below.putIfAbsent(domain.substring(WILDCARD.length()), place);
          } else {
            exact.putIfAbsent(domain, place);
          }
        }
      }
    }
  }

  /** Takes all rows of {@code throttle-rules.sql}, in their order. */
  public void changed(List<Map<String, Object>> rows) {
    List<ThrottleRule> rules = new ArrayList<>();
    for (Row row : Row.all(rows)) {
      List<String> domains = new ArrayList<>();
      Json.tree(row.text("domains")).forEach(domain -> domains.add(domain.textValue()));
      rules.add(
          new ThrottleRule(
              row.number("pk"),
              row.text("name"),
              List.copyOf(domains),
              number(row.numberOrNull("max_connections")),
              number(row.numberOrNull("messages_per_hour"))));
    }
    pages = new Pages(List.copyOf(rules));
  }

  /** All rules, the first that matches first. */
  public List<ThrottleRule> rules() {
    return pages.rules;
  }

  /** All rules in the form of {@code GET /throttle-rules}; what is not set is left out. */
  public Map<String, Object> listed() {
    List<Map<String, Object>> listed = new ArrayList<>();
    for (ThrottleRule rule : pages.rules) {
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("name", rule.name());
      row.put("domains", rule.domains());
      row.put("max_connections", rule.maxConnections());
      row.put("messages_per_hour", rule.messagesPerHour());
      row.values().removeIf(Objects::isNull);
      listed.add(row);
    }
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.put("throttle_rules", listed);
    return answer;
  }

  /** Whether there is none. */
  public boolean isEmpty() {
    return pages.rules.isEmpty();
  }

  /** A rule by its key; empty also for {@link LaneKey#DEFAULT_RULE}. */
  public Optional<ThrottleRule> rule(long pk) {
    return Optional.ofNullable(pages.byPk.get(pk));
  }

  /** The name of a lane's rule, {@code __default} where none is for it. */
  public String nameOf(LaneKey lane) {
    return rule(lane.rulePk()).map(ThrottleRule::name).orElse(ThrottleRule.DEFAULT_NAME);
  }

  /** The key of a rule by its name; empty: there is none. */
  public Optional<Long> keyOf(String name) {
    if (name.equals(ThrottleRule.DEFAULT_NAME)) {
      return Optional.of(LaneKey.DEFAULT_RULE);
    }
    return pages.rules.stream()
        .filter(rule -> rule.name().equals(name))
        .map(ThrottleRule::pk)
        .findFirst();
  }

  /**
   * The rule for a recipient's domain.
   *
   * @return its key; {@link LaneKey#DEFAULT_RULE}: none matches
   */
  public long ruleFor(String domain) {
    Pages now = pages;
    if (now.rules.isEmpty()) {
      return LaneKey.DEFAULT_RULE;
    }
    String name = domain.toLowerCase(Locale.ROOT);
    int first = now.exact.getOrDefault(name, Integer.MAX_VALUE);
    for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      first = Math.min(first, now.below.getOrDefault(name.substring(dot + 1), Integer.MAX_VALUE));
    }
    return first == Integer.MAX_VALUE ? LaneKey.DEFAULT_RULE : now.rules.get(first).pk();
  }

  private static @Nullable Integer number(@Nullable Long value) {
    return value == null ? null : Integer.valueOf(value.intValue());
  }
}
