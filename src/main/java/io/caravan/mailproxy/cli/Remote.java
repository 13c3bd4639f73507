package io.caravan.mailproxy.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.secret.SecretFile;
import java.net.URI;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of every command that talks to a running proxy. */
final class Remote {
  @Option(
      names = "--url",
      paramLabel = "URL",
      description = "The proxy; else GMP_URL, else http://127.0.0.1:$GMP_PORT.")
  @Nullable URI url;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "Holds the token; else GMP_API_TOKEN, else the file GMP_API_TOKEN_FILE.")
  @Nullable Path tokenFile;

  @Option(names = "--json", description = "The answer as it came.")
  boolean json;

  private final Terminal terminal;

  Remote(Terminal terminal) {
    this.terminal = terminal;
  }

  Api api() {
    return new Api(address(), token());
  }

  /** Shows an answer: as it came, or as the command puts it. */
  void show(String answer, Consumer<JsonNode> form) {
    if (json) {
      terminal.out().println(answer);
    } else {
      form.accept(Json.tree(answer));
    }
  }

  private URI address() {
    if (url != null) {
      return checked(url);
    }
    String named = terminal.variable("GMP_URL");
    if (!named.isEmpty()) {
      try {
        return checked(URI.create(named));
      } catch (IllegalArgumentException e) {
        throw new Failure(Failure.USAGE, "GMP_URL is no URL: " + named);
      }
    }
    String port = terminal.variable("GMP_PORT");
    return URI.create("http://127.0.0.1:" + (port.isEmpty() ? "8000" : port));
  }

  private static URI checked(URI url) {
    boolean http = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
    if (!http || url.getHost() == null) {
      throw new Failure(Failure.USAGE, "not the URL of a proxy, such as http://host:8000: " + url);
    }
    return url;
  }

  /** Blank: there is none. */
  String token() {
    if (tokenFile != null) {
      return read(tokenFile);
    }
    return usable(() -> Arguments.tokenOf(terminal.environment()));
  }

  /** A secret in a file of its own. */
  static String read(Path file) {
    return usable(() -> SecretFile.read(file));
  }

  private static String usable(Supplier<String> secret) {
    try {
      return secret.get();
    } catch (IllegalArgumentException e) {
      throw new Failure(Failure.USAGE, String.valueOf(e.getMessage()));
    }
  }
}
