package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.Recipient;
import io.caravan.mailproxy.throttle.RuleBook;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Which recipients of a message make one delivery: those of one lane, for MX those of a domain. */
final class Split {
  /** One delivery to be. */
  record Part(LaneKey lane, List<Recipient> recipients) {}

  private record Group(long rule, String domain) {}

  private Split() {}

  static List<Part> of(Message message, Account account, RuleBook rules) {
    boolean byDomain = account.type() == Account.Type.MX;
    if (!byDomain && rules.isEmpty()) {
      return List.of(new Part(LaneKey.of(account.pk()), message.recipients()));
    }
    Map<Group, List<Recipient>> groups = new LinkedHashMap<>();
    for (Recipient recipient : message.recipients()) {
      String domain = recipient.domain();
      Group group =
          new Group(rules.ruleFor(domain), byDomain ? domain.toLowerCase(Locale.ROOT) : "");
      groups.computeIfAbsent(group, first -> new ArrayList<>()).add(recipient);
    }
    List<Part> parts = new ArrayList<>(groups.size());
    groups.forEach(
        (group, recipients) ->
            parts.add(new Part(new LaneKey(account.pk(), group.rule()), List.copyOf(recipients))));
    return parts;
  }
}
