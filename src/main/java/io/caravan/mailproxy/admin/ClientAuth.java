package io.caravan.mailproxy.admin;

import io.caravan.mailproxy.http.Json;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** How the proxy shows itself to a tenant's server. */
public final class ClientAuth {
  private ClientAuth() {}

  /** The header that {@code client_auth} stands for (genro-api 4.1). */
  static @Nullable String header(@Nullable String clientAuth) {
    if (clientAuth == null) {
      return null;
    }
    var auth = Json.tree(clientAuth);
    return switch (auth.path("method").asText()) {
      case "bearer" -> "Bearer " + auth.path("token").asText();
      case "basic" -> basic(auth.path("user").asText(), auth.path("password").asText());
      default -> null;
    };
  }

  /** HTTP Basic (RFC 7617). */
  public static String basic(String user, String password) {
    return "Basic "
        + Base64.getEncoder()
            .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
  }
}
