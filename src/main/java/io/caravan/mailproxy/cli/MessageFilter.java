package io.caravan.mailproxy.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which messages of a tenant. */
final class MessageFilter {
  @Option(
      names = "--status",
      paramLabel = "pending|deferred|held|sent|error",
      description = "In this state.")
  @Nullable String status;

  @Option(names = "--account", paramLabel = "ID", description = "Of this account.")
  @Nullable String account;

  @Option(names = "--batch", paramLabel = "CODE", description = "Of this batch.")
  @Nullable String batch;

  @Option(names = "--recipient", paramLabel = "ADDRESS", description = "To this recipient.")
  @Nullable String recipient;

  @Option(
      names = "--since",
      paramLabel = "WHEN",
      converter = Moment.class,
      description = "Taken in then or later: Unix seconds, a date, or a moment in UTC.")
  @Nullable Long since;

  @Option(
      names = "--until",
      paramLabel = "WHEN",
      converter = Moment.class,
      description = "Taken in until then.")
  @Nullable Long until;

  String query(@Nullable String tenant, int limit, @Nullable String cursor) {
    return Api.query(
        "tenant_id", tenant,
        "status", status,
        "account_id", account,
        "batch_code", batch,
        "recipient", recipient,
        "since_ts", since,
        "until_ts", until,
        "limit", limit,
        "cursor", cursor);
  }

  /** As the body of a command names it; empty: all. */
  Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    Tenants.put(fields, "status", status);
    Tenants.put(fields, "account_id", account);
    Tenants.put(fields, "batch_code", batch);
    Tenants.put(fields, "recipient", recipient);
    Tenants.put(fields, "since_ts", since);
    Tenants.put(fields, "until_ts", until);
    return fields;
  }
}
