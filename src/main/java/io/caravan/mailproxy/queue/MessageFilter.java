package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.JsonFields;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.http.Request;
import io.caravan.mailproxy.message.Address;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which messages of a tenant are meant (DECISIONS, messages); what is {@code null} stands for all.
 *
 * @param status one of {@link #STATUSES}; {@value #ANY}: all
 * @param active only those that wait
 * @param recipient one of its addresses, in any case
 * @param since accepted from then on, Unix milliseconds
 * @param until accepted not later, Unix milliseconds
 * @param ids clients' ids; {@code null}: all
 * @param over for status {@code reported}: since when it has to be over
 */
record MessageFilter(
    String tenant,
    String status,
    boolean active,
    @Nullable String account,
    @Nullable String batch,
    @Nullable String recipient,
    long since,
    long until,
    @Nullable Set<String> ids,
    @Nullable Over over) {

  static final String ANY = "any";
  static final List<String> STATUSES = List.of("pending", "deferred", "sent", "error", "held");

  private static final Set<String> OF_WAITING = Set.of("pending", "deferred", "held");
  private static final int MAX_CHARS = 255;
  private static final int MAX_ADDRESS_CHARS = 320;
  private static final long MAX_SECONDS = 100_000_000_000L;

  /**
   * What is finished, and told to whoever wants to know.
   *
   * @param before when there was news of it at the latest, Unix milliseconds
   * @param listened whether somebody is told of its events: if so, all are acknowledged
   */
  record Over(long before, boolean listened) {}

  /** All of a tenant. */
  static MessageFilter all(String tenant, boolean active) {
    return new MessageFilter(tenant, ANY, active, null, null, null, 0, Long.MAX_VALUE, null, null);
  }

  /**
   * What is over.
   *
   * @param until accepted not later, Unix milliseconds
   */
  static MessageFilter over(String tenant, long until, Over over) {
    return new MessageFilter(tenant, "reported", false, null, null, null, 0, until, null, over);
  }

  /**
   * From the parameters of a list.
   *
   * @throws Problem 400 or 422 one cannot be
   */
  static MessageFilter of(Request request) {
    String status = text(request, "status", MAX_CHARS);
    if (status != null && !STATUSES.contains(status)) {
      throw wrong("status", "Input should be one of " + STATUSES);
    }
    String recipient = text(request, "recipient", MAX_ADDRESS_CHARS);
    Long since = seconds(request, "since_ts");
    Long until = seconds(request, "until_ts");
    try {
      return new MessageFilter(
          request.tenant(),
          status == null ? ANY : status,
          request.flag("active_only"),
          text(request, "account_id", MAX_CHARS),
          text(request, "batch_code", MAX_CHARS),
          recipient == null ? null : Address.parse(recipient).wire(),
          from(since),
          to(until),
          null,
          null);
    } catch (IllegalArgumentException e) {
      throw wrong("recipient", "Input should be an address");
    }
  }

  /**
   * From a JSON object, of messages that wait.
   *
   * @throws Problem 422 a field cannot be
   */
  static MessageFilter waiting(String tenant, JsonFields form) {
    String status = form.text("status", MAX_CHARS, null);
    if (status != null && !STATUSES.contains(status)) {
      throw form.wrong("status", "Input should be one of " + STATUSES);
    }
    String recipient = given(form, "recipient", MAX_ADDRESS_CHARS);
    try {
      return new MessageFilter(
          tenant,
          status == null ? ANY : status,
          true,
          given(form, "account_id", MAX_CHARS),
          given(form, "batch_code", MAX_CHARS),
          recipient == null ? null : Address.parse(recipient).wire(),
          from(form.number("since_ts", 0, MAX_SECONDS, null)),
          to(form.number("until_ts", 0, MAX_SECONDS, null)),
          form.node("ids") == null ? null : Deletion.ids(form, "ids"),
          null);
    } catch (IllegalArgumentException e) {
      throw form.wrong("recipient", "Input should be an address");
    }
  }

  private static @Nullable String given(JsonFields form, String name, int max) {
    return form.node(name) == null ? null : form.required(name, max);
  }

  private static long from(@Nullable Long seconds) {
    return seconds == null ? 0 : seconds * 1000;
  }

  private static long to(@Nullable Long seconds) {
    return seconds == null ? Long.MAX_VALUE : seconds * 1000 + 999;
  }

  private static @Nullable String text(Request request, String name, int max) {
    String text = request.parameter(name).orElse("");
    if (text.length() > max || text.chars().anyMatch(Character::isISOControl)) {
      throw wrong(name, "Input should have at most " + max + " characters, none of control");
    }
    return text.isEmpty() ? null : text;
  }

  private static @Nullable Long seconds(Request request, String name) {
    String text = text(request, name, MAX_CHARS);
    if (text == null) {
      return null;
    }
    if (!text.matches("\\d{1,11}")) {
      throw wrong(name, "Input should be a time in Unix seconds");
    }
    return Long.valueOf(text);
  }

  static Problem wrong(String name, String message) {
    return Problem.invalid("value_error", List.of("query", name), message);
  }

  /** Whether it lets through all that a tenant has. */
  boolean isOpen() {
    return equals(all(tenant, false));
  }

  /** Whether only messages that wait get through. */
  boolean isOfWaiting() {
    return active || OF_WAITING.contains(status);
  }

  /** Parameters of statements. */
  Map<String, @Nullable Object> values() {
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("tenant", tenant);
    values.put("status", status);
    values.put("active", active ? 1 : 0);
    values.put("account", account);
    values.put("batch", batch);
    values.put("recipient", recipient);
    values.put("since", since);
    values.put("until", until);
    values.put("before", over == null ? 0 : over.before());
    values.put("listened", over == null || over.listened() ? 1 : 0);
    values.put("ids", Json.text(ids == null ? List.of() : ids));
    return values;
  }

  /** What a cursor is bound to: the same for the same filter, another one for any other. */
  String told() {
    return Json.text(
        new ArrayList<>(
            Arrays.asList(tenant, status, active, account, batch, recipient, since, until)));
  }
}
