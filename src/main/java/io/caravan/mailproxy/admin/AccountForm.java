package io.caravan.mailproxy.admin;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Caller;
import io.caravan.mailproxy.http.Guard;
import io.caravan.mailproxy.http.JsonFields;
import io.caravan.mailproxy.message.Account;
import io.netty.util.NetUtil;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/** Body of {@code POST /account}, checked (genro-api 1.6; DECISIONS, Names). */
public final class AccountForm {
  private static final int MAX_PORT = 65_535;
  private static final long MX_PORT = 25;
  private static final int MAX_CONNECTIONS = 1_000;
  private static final int DEFAULT_CONNECTIONS = 10;
  private static final int DEFAULT_TTL_SECONDS = 300;

  /** A name, an IPv4 address, or an IPv6 address with or without brackets; no port. */
  private static final Pattern HOST =
      Pattern.compile("[A-Za-z0-9._-]{1,253}|\\[?[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*]?");

  private final TenantHosts hosts;
  private final Directory directory;

  public AccountForm(TenantHosts hosts, Directory directory) {
    this.hosts = hosts;
    this.directory = directory;
  }

  /** The values for {@code upsert-account.sql}; replaces the body. */
  public Map<String, Object> read(Exchange exchange) {
    Caller caller = exchange.getProperty(Guard.CALLER, Caller.class);
    JsonFields form = new JsonFields(exchange.getMessage().getBody(JsonNode.class));
    Map<String, Object> row = read(form, caller);
    if (caller.tenantId() != null) {
      checkServer(form, row);
    }
    return row;
  }

  /** A tenant names a public server, or leaves the one that is there. */
  private void checkServer(JsonFields form, Map<String, Object> row) {
    String type = String.valueOf(row.get("type"));
    String host = String.valueOf(row.get("host"));
    int port = (int) port(form, type);
    Account known =
        directory
            .account(String.valueOf(row.get("tenant")), String.valueOf(row.get("id")))
            .orElse(null);
    boolean same =
        known != null
            && known.type().name().equalsIgnoreCase(type)
            && known.host().equals(host)
            && known.port() == port;
    if (!same && type.equals("relay")) {
      hosts.checkRelay(form, host, port);
    } else if (!same && type.equals("mx")) {
      hosts.checkSmtpPort(form, port);
    }
  }

  /** The values that a body stands for. */
  static Map<String, Object> read(JsonFields form, Caller caller) {
    Map<String, Object> row = new HashMap<>();
    String type = form.text("type", 20, "relay").toLowerCase(Locale.ROOT);
    boolean relay = type.equals("relay");
    if (!relay && !type.equals("mx") && !type.equals("sandbox")) {
      throw form.wrong("type", "Input should be 'relay', 'mx' or 'sandbox'");
    }
    String tenant = form.text("tenant_id", 255, tenantOf(caller));
    row.put("tenant", TenantForm.id(form, tenant, "tenant_id"));
    row.put("id", form.required("id", 255));
    row.put("type", type);
    row.put("host", relay ? form.required("host", 253) : form.text("host", 253, type));
    row.put("port", port(form, type));
    row.put("user", form.text("user", 1_024, null));
    row.put("password", form.text("password", 1_024, null));
    row.put("keep", 0);
    row.put("setBy", caller.tenantId() == null ? Registry.ADMIN : Registry.TENANT);
    row.put("useTls", form.flag("use_tls"));
    row.put("ttl", form.number("ttl", 1, Integer.MAX_VALUE, (long) DEFAULT_TTL_SECONDS));
    row.put("batchSize", form.number("batch_size", 1, Integer.MAX_VALUE, null));
    for (String window : List.of("second", "minute", "hour", "day")) {
      Long limit = form.number("limit_per_" + window, Integer.MIN_VALUE, Integer.MAX_VALUE, null);
      row.put(window, limit == null || limit <= 0 ? null : limit);
    }
    row.put("behavior", form.text("limit_behavior", 20, "defer"));
    row.put(
        "connections",
        form.number("max_connections", 1, MAX_CONNECTIONS, (long) DEFAULT_CONNECTIONS));
    row.put("messages", form.number("max_messages_per_connection", 0, Integer.MAX_VALUE, 0L));
    row.put("localAddress", address(form, "local_address"));
    row.put("tlsCa", form.pem("tls_ca"));
    row.put("failover", failover(form));
    row.put("uncertain", oneOf(form, "on_uncertain", "retry", "hold"));
    row.put("pec", Boolean.TRUE.equals(form.flag("is_pec_account")) ? 1 : 0);
    row.put("imapHost", form.text("imap_host", 253, null));
    row.put("imapPort", form.number("imap_port", 1, MAX_PORT, 993L));
    row.put("imapUser", form.text("imap_user", 1_024, null));
    row.put("imapPassword", form.text("imap_password", 1_024, null));
    if (relay && !HOST.matcher((String) row.get("host")).matches()) {
      throw form.wrong("host", "Input should be a host name or an address");
    }
    row.replaceAll((name, value) -> value instanceof Boolean flag ? (flag ? 1 : 0) : value);
    return row;
  }

  private static long port(JsonFields form, String type) {
    return switch (type) {
      case "relay" -> form.requiredNumber("port", 1, MAX_PORT);
      case "mx" -> form.number("port", 1, MAX_PORT, MX_PORT);
      default -> 0;
    };
  }

  /** An address of this machine to connect from; a name would be another one tomorrow. */
  private static @Nullable String address(JsonFields form, String name) {
    String text = form.text(name, 64, null);
    boolean literal =
        text == null
            || NetUtil.isValidIpV4Address(text)
            || (!text.startsWith("[") && NetUtil.isValidIpV6Address(text));
    if (!literal) {
      throw form.wrong(name, "Input should be an IPv4 or IPv6 address");
    }
    return text;
  }

  /** Whether there is such an account counts when it is needed: it may be added later. */
  private static @Nullable String failover(JsonFields form) {
    String id = form.text("failover_account_id", 255, null);
    if (id != null && id.equals(form.required("id", 255))) {
      throw form.wrong("failover_account_id", "Input should be another account");
    }
    return id;
  }

  /** One of the words; the first where there is none. */
  private static String oneOf(JsonFields form, String name, String... words) {
    String word = form.text(name, 20, words[0]);
    if (!List.of(words).contains(word)) {
      throw form.wrong(name, "Input should be '" + String.join("' or '", words) + "'");
    }
    return word;
  }

  /** Without a tenant the account belongs to the tenant {@code default} (genro-api 1.12). */
  private static String tenantOf(Caller caller) {
    return caller.tenantId() == null ? "default" : caller.tenantId();
  }
}
