package io.caravan.mailproxy.intake;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.admin.SenderDomains;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Address;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.Priority;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Checks a call of add-messages (genro-api 1.4): a wrong JSON type refuses the call, a bad value
 * its item alone. Safe for use by several threads.
 */
public final class BatchReader {
  private final Directory directory;
  private final IntakeLimits limits;
  private final Priority defaultPriority;

  public BatchReader(Directory directory, IntakeLimits limits, Priority defaultPriority) {
    this.directory = directory;
    this.limits = limits;
    this.defaultPriority = defaultPriority;
  }

  /**
   * Reads {@code {"messages": […], "default_priority": …}}.
   *
   * @param callerTenant the tenant of the caller's token; {@code null}: the administrator or a part
   *     of the proxy
   * @throws Problem 400 for more than {@link IntakeLimits#MAX_ITEMS} items, 422 for a wrong JSON
   *     type anywhere, 401 if a tenant names another one
   */
  public Batch read(JsonNode body, @Nullable String callerTenant) {
    TypeCheck check = new TypeCheck(false);
    Priority usual = defaultPriority;
    List<MessageFields> items = List.of();
    if (check.isObject(body, Path.BODY)) {
      items = items(body, check);
      Priority ofBatch = MessageFields.priority(body, "default_priority", check, Path.BODY);
      usual = ofBatch == null ? defaultPriority : ofBatch;
    }
    check.orThrow();
    checkScope(items, callerTenant);
    return new Run(callerTenant, usual).read(items);
  }

  private static List<MessageFields> items(JsonNode body, TypeCheck check) {
    Path at = Path.BODY.at("messages");
    JsonNode messages = body.get("messages");
    if (messages == null) {
      check.missing(at);
      return List.of();
    }
    if (!messages.isArray()) {
      check.add("list_type", at, "Input should be a valid list", messages);
      return List.of();
    }
    if (messages.size() > IntakeLimits.MAX_ITEMS) {
      Map<String, @Nullable Object> detail = new LinkedHashMap<>();
      detail.put("error", "Cannot enqueue more than 1000 messages at once");
      detail.put("rejected", null);
      throw new Problem(400, "batch_too_large", detail);
    }
    List<MessageFields> items = new ArrayList<>(messages.size());
    for (int i = 0; i < messages.size(); i++) {
      JsonNode item = messages.get(i);
      if (check.isObject(item, at.at(i))) {
        items.add(MessageFields.read(item, check, at.at(i)));
      }
    }
    return items;
  }

  private static void checkScope(List<MessageFields> items, @Nullable String callerTenant) {
    if (callerTenant == null) {
      return;
    }
    for (MessageFields item : items) {
      String named = item.tenantId();
      if (named != null && !named.isBlank() && !named.equals(callerTenant)) {
        throw new Problem(401, "Token not authorized for this tenant");
      }
    }
  }

  /** One call's work. */
  private final class Run {
    private final @Nullable String callerTenant;
    private final Priority usual;
    private final List<Submission> submissions = new ArrayList<>();
    private final List<Rejection> rejected = new ArrayList<>();
    private final Map<Key, Integer> known = new HashMap<>();

    Run(@Nullable String callerTenant, Priority usual) {
      this.callerTenant = callerTenant;
      this.usual = usual;
    }

    Batch read(List<MessageFields> items) {
      for (int i = 0; i < items.size(); i++) {
        MessageFields item = items.get(i);
        try {
          accept(i, item);
        } catch (Refusal e) {
          String pointer = "/messages/" + i + e.pointer;
          rejected.add(new Rejection(idOf(item), i, e.reason, e.code, pointer));
        }
      }
      return new Batch(items.size(), List.copyOf(submissions), List.copyOf(rejected));
    }

    private void accept(int index, MessageFields item) {
      Account account = required(item);
      ValueRules.check(item, limits);
      Priority priority = item.priority() == null ? usual : item.priority();
      String tenantId = account.tenantId();
      Message message = MessageBuilder.build(item, tenantId, priority, limits.maxRecipients());
      directory.senders(tenantId).ifPresent(allowed -> checkSenders(message, allowed));
      Integer earlier = known.putIfAbsent(new Key(tenantId, message.id()), submissions.size());
      if (earlier == null) {
        String payload = Payload.of(item, tenantId, priority);
        submissions.add(new Submission(index, message, account, payload, List.of()));
        return;
      }
      Submission first = submissions.get(earlier);
      if (!first.message().equals(message)) {
        throw new Refusal(
            "duplicate_in_batch",
            "the same id stands in this batch before, with other content",
            "/id");
      }
      submissions.set(earlier, first.withCopy(index));
    }

    /** Who the mail is from, for readers and for relays (reliability-security B62). */
    private static void checkSenders(Message message, SenderDomains allowed) {
      checkSender(Address.parse(message.from()).domain(), allowed, "from");
      String sender = message.sender();
      if (!sender.isEmpty()) {
        checkSender(sender.substring(sender.lastIndexOf('@') + 1), allowed, "return_path");
      }
    }

    private static void checkSender(String domain, SenderDomains allowed, String field) {
      if (!allowed.hold(domain)) {
        throw new Refusal(
            "sender_not_allowed", field + ": the tenant may not send as " + domain, "/" + field);
      }
    }

    /** The documented checks in the documented order. */
    private Account required(MessageFields item) {
      require(item.id(), "id");
      String tenantId = tenant(item);
      String accountId = require(item.accountId(), "account_id");
      require(item.from(), "from");
      if (item.to().filled().isEmpty()) {
        throw missing("to");
      }
      require(item.subject(), "subject");
      Optional<Account> account = directory.find(tenantId, accountId);
      return account.orElseThrow(
          () -> new Refusal("account_not_found", "account not found for tenant", "/account_id"));
    }

    private String tenant(MessageFields item) {
      String named = item.tenantId();
      if (named != null && !named.isBlank()) {
        return named;
      }
      if (callerTenant != null) {
        return callerTenant;
      }
      String accountId = item.accountId();
      if (accountId != null && !accountId.isBlank()) {
        List<String> owners = directory.tenantsWithAccount(accountId);
        if (owners.size() == 1) {
          return owners.get(0);
        }
      }
      throw missing("tenant_id");
    }

    private static String require(@Nullable String value, String field) {
      if (value == null || value.isBlank()) {
        throw missing(field);
      }
      return value;
    }

    private static Refusal missing(String field) {
      return new Refusal("missing_" + field, "missing " + field, "/" + field);
    }

    private static @Nullable String idOf(MessageFields item) {
      String id = item.id();
      return id == null || id.isBlank() || id.length() > 2 * ValueRules.MAX_ID_CHARS ? null : id;
    }
  }

  private record Key(String tenantId, String id) {}
}
