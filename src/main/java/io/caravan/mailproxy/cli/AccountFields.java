package io.caravan.mailproxy.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What {@code accounts add} says of an account (genro-api 1.6). */
final class AccountFields {
  @Option(
      names = "--type",
      paramLabel = "relay|mx|sandbox",
      description = "What stands behind it; else relay.")
  @Nullable String type;

  @Option(names = "--host", description = "Name or address of the relay.")
  @Nullable String host;

  @Option(names = "--port", description = "Its port.")
  @Nullable Integer port;

  @Option(
      names = "--user",
      description = "Logs in as this user; the password is asked for, or in GMP_ACCOUNT_PASSWORD.")
  @Nullable String user;

  @Option(names = "--password-file", paramLabel = "FILE", description = "Holds the password.")
  @Nullable Path passwordFile;

  @Option(
      names = "--tls",
      negatable = true,
      description = "TLS: from the first byte on port 465, else STARTTLS.")
  @Nullable Boolean tls;

  @Option(
      names = "--tls-ca",
      paramLabel = "FILE",
      description = "PEM certificates to be trusted beside the system's.")
  @Nullable Path tlsCa;

  @Option(names = "--max-connections", paramLabel = "N", description = "At the same time; else 10.")
  @Nullable Integer maxConnections;

  @Option(names = "--limit-second", paramLabel = "N", description = "Messages a second, at most.")
  @Nullable Integer second;

  @Option(names = "--limit-minute", paramLabel = "N", description = "Messages a minute, at most.")
  @Nullable Integer minute;

  @Option(names = "--limit-hour", paramLabel = "N", description = "Messages an hour, at most.")
  @Nullable Integer hour;

  @Option(names = "--limit-day", paramLabel = "N", description = "Messages a day, at most.")
  @Nullable Integer day;

  @Option(
      names = "--limit-behavior",
      paramLabel = "defer|reject",
      description = "What happens beyond; else defer.")
  @Nullable String behavior;

  @Option(
      names = "--failover",
      paramLabel = "ID",
      description = "The account that stands in for it.")
  @Nullable String failover;

  @Option(
      names = "--on-uncertain",
      paramLabel = "retry|hold",
      description = "What happens to mail of which nobody knows; else retry.")
  @Nullable String onUncertain;

  @Option(names = "--batch-size", paramLabel = "N", description = "Kept, not applied.")
  @Nullable Integer batchSize;

  @Option(
      names = "--ttl",
      paramLabel = "SECONDS",
      description = "Age at which a connection is closed; else 300.")
  @Nullable Integer ttl;

  Map<String, Object> body(Terminal terminal) {
    Map<String, Object> body = new LinkedHashMap<>();
    Tenants.put(body, "type", type);
    Tenants.put(body, "host", host);
    Tenants.put(body, "port", port);
    Tenants.put(body, "use_tls", tls);
    Tenants.put(body, "tls_ca", tlsCa == null ? null : certificates(tlsCa));
    Tenants.put(body, "max_connections", maxConnections);
    Tenants.put(body, "limit_per_second", second);
    Tenants.put(body, "limit_per_minute", minute);
    Tenants.put(body, "limit_per_hour", hour);
    Tenants.put(body, "limit_per_day", day);
    Tenants.put(body, "limit_behavior", behavior);
    Tenants.put(body, "failover_account_id", failover);
    Tenants.put(body, "on_uncertain", onUncertain);
    Tenants.put(body, "batch_size", batchSize);
    Tenants.put(body, "ttl", ttl);
    if (user != null) {
      body.put("user", user);
      body.put(
          "password",
          Secret.read(
              terminal, "password", passwordFile, "--password-file", "GMP_ACCOUNT_PASSWORD"));
    }
    return body;
  }

  private static String certificates(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new Failure(Failure.USAGE, "cannot read " + file + ": " + e.getClass().getSimpleName());
    }
  }
}
