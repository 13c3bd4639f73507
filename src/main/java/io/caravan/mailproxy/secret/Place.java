package io.caravan.mailproxy.secret;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Where in the store a secret stands: what is sealed for one place opens in no other
 * (reliability-security B84).
 *
 * @param rowId the row's id within the tenant
 */
public record Place(String table, String tenantId, String rowId, String column) {

  /** Log-in at the relay of an account. */
  public static Place password(String tenantId, String accountId) {
    return new Place("account", tenantId, accountId, "password");
  }

  /** Log-in at the mailbox of an account. */
  public static Place imapPassword(String tenantId, String accountId) {
    return new Place("account", tenantId, accountId, "imap_password");
  }

  /** What a tenant's own endpoint asks of its callers. */
  public static Place clientAuth(String tenantId) {
    return new Place("tenant", tenantId, tenantId, "client_auth");
  }

  /** Log-in at the mailbox that bounces come to. */
  public static Place bouncePassword() {
    return new Place("instance", "", "1", "bounce_imap_password");
  }

  /** The associated data: each part after its length, so that no two places read the same. */
  byte[] bound() {
    List<byte[]> parts =
        List.of(table, tenantId, rowId, column).stream()
            .map(part -> part.getBytes(StandardCharsets.UTF_8))
            .toList();
    ByteBuffer bound =
        ByteBuffer.allocate(parts.stream().mapToInt(part -> Integer.BYTES + part.length).sum());
    parts.forEach(part -> bound.putInt(part.length).put(part));
    return bound.array();
  }
}
