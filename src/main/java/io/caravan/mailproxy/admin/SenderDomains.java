package io.caravan.mailproxy.admin;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.JsonFields;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The domains a tenant may send as (DECISIONS, Names; reliability-security B62).
 *
 * @param patterns {@code example.com}, {@code *.example.com} for all below it; empty: any domain
 */
public record SenderDomains(Set<String> patterns) {
  private static final int MAX_DOMAINS = 1_000;

  /** Of the stored list. */
  static SenderDomains of(String json) {
    Set<String> patterns = new HashSet<>();
    Json.tree(json).forEach(domain -> patterns.add(domain.textValue()));
    return new SenderDomains(Set.copyOf(patterns));
  }

  /**
   * A field's list in the form to be stored; {@code null}: there is no such field.
   *
   * @throws io.caravan.mailproxy.http.Problem 422 it is no list of domains
   */
  static @Nullable String read(JsonFields form, String field) {
    JsonNode list = form.node(field);
    if (list == null) {
      return null;
    }
    if (!list.isArray() || list.size() > MAX_DOMAINS) {
      throw form.wrong(field, "Input should be a list of at most " + MAX_DOMAINS + " domains");
    }
    List<String> domains = new ArrayList<>();
    for (JsonNode item : list) {
      domains.add(DomainPattern.read(form, field, item.asText()));
    }
    return Json.text(domains);
  }

  /**
   * Whether an address of this domain may be a sender.
   *
   * @param domain lower case, A-labels
   */
  public boolean hold(String domain) {
    if (patterns.isEmpty() || patterns.contains(domain)) {
      return true;
    }
    for (int dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      if (patterns.contains(DomainPattern.BELOW + domain.substring(dot + 1))) {
        return true;
      }
    }
    return false;
  }
}
