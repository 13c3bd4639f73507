package io.caravan.mailproxy.cli;

import java.net.URI;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What {@code tenants add} and {@code update} say of a tenant (genro-api 1.7). */
final class TenantFields {
  /** How the tenant's application is told who calls. */
  enum Method {
    none,
    bearer,
    basic
  }

  @Option(names = "--name", description = "Its name.")
  @Nullable String name;

  @Option(names = "--base-url", paramLabel = "URL", description = "Its application.")
  @Nullable URI baseUrl;

  @Option(
      names = "--sync-path",
      paramLabel = "PATH",
      description = "Where reports are posted there.")
  @Nullable String syncPath;

  @Option(
      names = "--attachment-path",
      paramLabel = "PATH",
      description = "Where attachments are had there.")
  @Nullable String attachmentPath;

  @Option(
      names = "--auth-method",
      paramLabel = "none|bearer|basic",
      description =
          "How it knows the proxy; the token or password is asked for, or in GMP_CLIENT_SECRET.")
  @Nullable Method authMethod;

  @Option(names = "--auth-user", paramLabel = "USER", description = "The user, for basic.")
  @Nullable String authUser;

  @Option(
      names = "--auth-secret-file",
      paramLabel = "FILE",
      description = "Holds that token or password.")
  @Nullable Path authSecretFile;

  @Option(
      names = "--sender-domain",
      paramLabel = "DOMAIN",
      description =
          "It may send as this domain, such as example.com or *.example.com; may be repeated.")
  @Nullable List<String> senderDomains;

  @Option(names = "--rate-limit-hourly", paramLabel = "N", description = "Kept, not applied.")
  @Nullable Integer hourly;

  @Option(names = "--rate-limit-daily", paramLabel = "N", description = "Kept, not applied.")
  @Nullable Integer daily;

  Map<String, Object> body(Terminal terminal) {
    Map<String, Object> body = new LinkedHashMap<>();
    Tenants.put(body, "name", name);
    Tenants.put(body, "client_base_url", baseUrl == null ? null : baseUrl.toString());
    Tenants.put(body, "client_sync_path", syncPath);
    Tenants.put(body, "client_attachment_path", attachmentPath);
    if (authMethod != null) {
      body.put("client_auth", auth(authMethod, terminal));
    }
    Tenants.put(body, "allowed_sender_domains", senderDomains);
    if (hourly != null || daily != null) {
      Map<String, Object> limits = new LinkedHashMap<>();
      Tenants.put(limits, "hourly", hourly);
      Tenants.put(limits, "daily", daily);
      body.put("rate_limits", limits);
    }
    return body;
  }

  private Map<String, Object> auth(Method method, Terminal terminal) {
    Map<String, Object> auth = new LinkedHashMap<>();
    auth.put("method", method.name());
    Tenants.put(auth, "user", authUser);
    if (method != Method.none) {
      String field = method == Method.bearer ? "token" : "password";
      auth.put(
          field,
          Secret.read(
              terminal,
              field + " of the application",
              authSecretFile,
              "--auth-secret-file",
              "GMP_CLIENT_SECRET"));
    }
    return auth;
  }
}
