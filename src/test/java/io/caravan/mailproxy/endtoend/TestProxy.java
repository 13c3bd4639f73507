package io.caravan.mailproxy.endtoend;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.MailProxy;
import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.http.Json;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;

/**
 * A whole proxy for a test: the shipped routes and settings, a database and a routes.d of its own,
 * a free port.
 */
public final class TestProxy implements AutoCloseable {
  public static final String TOKEN = "test-token";

  static final Path REPOSITORY = Path.of("").toAbsolutePath();

  private static final Set<MailProxy> RUNNING = ConcurrentHashMap.newKeySet();

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final Path home;
  private final MailProxy proxy;

  private TestProxy(Path home, MailProxy proxy) {
    this.home = home;
    this.proxy = proxy;
    RUNNING.add(proxy);
  }

  /**
   * A home folder with the shipped files and an empty routes.d. System property {@code
   * mailproxy.routes} names another folder of routes (bench/mutate).
   */
  public static Path home(Path folder) {
    try {
      for (String shipped : new String[] {"config", "routes"}) {
        if (!Files.exists(folder.resolve(shipped))) {
          String from = System.getProperty("mailproxy." + shipped, shipped);
          Files.createSymbolicLink(folder.resolve(shipped), REPOSITORY.resolve(from));
        }
      }
      Files.createDirectories(folder.resolve("routes.d"));
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Starts a proxy in a folder; what is in its routes.d counts.
   *
   * @param settings keys and values that win over config/application.properties, in turns
   */
  public static TestProxy start(Path folder, String... settings) {
    Map<String, String> all = new HashMap<>();
    all.put("port", "0");
    all.put("host", "127.0.0.1");
    all.put("api.token", TOKEN);
    all.put("db.path", TestStore.path(folder));
    if (TestStore.isShared(folder)) {
      all.put("encryption.key-file", TestStore.key(folder).toString());
      all.put("node.name", folder.toString());
    }
    all.put("drain.seconds", "5");
    for (int i = 0; i < settings.length; i += 2) {
      all.put(settings[i], settings[i + 1]);
    }
    return new TestProxy(folder, MailProxy.start(home(folder), all));
  }

  /** Has all that run look at their database's clock. */
  static void setClocks() {
    for (MailProxy proxy : RUNNING) {
      try {
        proxy.bean("database", Database.class).setClock();
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  public MailProxy proxy() {
    return proxy;
  }

  /** Where accounts of type sandbox keep their mail. */
  public Path sandbox() {
    return home.resolve("data/sandbox");
  }

  public URI uri(String path) {
    return proxy.uri().resolve(path);
  }

  /** Sends a JSON body with the administrator's token. */
  public HttpResponse<String> post(String path, Object body) {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    body instanceof String text ? text : Json.text(body)))
            .build());
  }

  public HttpResponse<String> get(String path) {
    return send(request(path).GET().build());
  }

  public HttpResponse<String> delete(String path) {
    return send(request(path).DELETE().build());
  }

  /** A request to this proxy, with the administrator's token. */
  public HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path)).header("X-API-Token", TOKEN);
  }

  public HttpResponse<String> send(HttpRequest request) {
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Until what it returns is closed, nothing is committed to the store; it can be read. */
  public Connection holdCommits() throws SQLException {
    if (!TestStore.isShared(home)) {
      return proxy.bean("writer", DataSource.class).getConnection();
    }
    Connection connection = TestStore.connect(home);
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("LOCK TABLE message, queue, event IN EXCLUSIVE MODE");
    }
    return connection;
  }

  /** An answer's body as JSON. */
  public static JsonNode json(HttpResponse<String> answer) {
    return Json.tree(answer.body());
  }

  /** Adds an account of type sandbox. */
  public void sandboxAccount(String tenant, String id) {
    expect(post("/account", Map.of("id", id, "tenant_id", tenant, "type", "sandbox")));
  }

  /** Adds a relay account on loopback; further fields in turns. */
  public void relayAccount(String tenant, String id, int port, Object... more) {
    Map<String, Object> account = new HashMap<>();
    account.put("id", id);
    account.put("tenant_id", tenant);
    account.put("host", "127.0.0.1");
    account.put("port", port);
    for (int i = 0; i < more.length; i += 2) {
      account.put((String) more[i], more[i + 1]);
    }
    expect(post("/account", account));
  }

  /** Exchanges that a route has ended, by its own meter. */
  public long exchanges(String routeId) {
    return Math.round(
        proxy
            .bean("metricsRegistry", MeterRegistry.class)
            .find("camel.exchanges.total")
            .tag("routeId", routeId)
            .counters()
            .stream()
            .mapToDouble(Counter::count)
            .sum());
  }

  /** Copies a file of routes.d/examples into a folder's routes.d. */
  public static void example(Path folder, String file) {
    try {
      Path from = REPOSITORY.resolve("routes.d/examples").resolve(file);
      Files.copy(from, home(folder).resolve("routes.d").resolve(from.getFileName()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a file into a folder's routes.d. */
  public static void route(Path folder, String name, String yaml) {
    try {
      Files.writeString(home(folder).resolve("routes.d").resolve(name), yaml);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A minimal message; further fields in turns. */
  public static Map<String, Object> message(
      String tenant, String account, String id, Object... more) {
    Map<String, Object> message = new HashMap<>();
    message.put("id", id);
    message.put("tenant_id", tenant);
    message.put("account_id", account);
    message.put("from", "sender@example.test");
    message.put("to", List.of("reader@example.test"));
    message.put("subject", "Subject of " + id);
    message.put("body", "Body of " + id);
    for (int i = 0; i < more.length; i += 2) {
      message.put((String) more[i], more[i + 1]);
    }
    return message;
  }

  /** Submits a message that must be queued. */
  public void submit(Map<String, Object> message) {
    submit(List.of(message));
  }

  /** Submits messages that must all be queued. */
  public void submit(List<Map<String, Object>> messages) {
    HttpResponse<String> answer = post("/commands/add-messages", Map.of("messages", messages));
    expect(answer);
    if (json(answer).path("queued").intValue() != messages.size()) {
      throw new AssertionError(answer.body());
    }
  }

  /** A message as GET /messages shows it, with its history. */
  public JsonNode message(String tenant, String id) {
    JsonNode all =
        json(get("/messages?tenant_id=" + tenant + "&include_history=true")).path("messages");
    for (JsonNode message : all) {
      if (message.path("id").asText().equals(id)) {
        return message;
      }
    }
    throw new AssertionError("no message " + id);
  }

  /** The state of a message by the rule all clients use (genro-api 1.5). */
  public String state(String tenant, String id) {
    JsonNode message = message(tenant, id);
    if (message.has("error_ts") || message.has("error")) {
      return "error";
    }
    return message.has("sent_ts") ? "sent" : message.has("deferred_ts") ? "deferred" : "pending";
  }

  private static void expect(HttpResponse<String> answer) {
    if (answer.statusCode() != 200) {
      throw new AssertionError(answer.statusCode() + " " + answer.body());
    }
  }

  @Override
  public void close() {
    RUNNING.remove(proxy);
    proxy.close();
  }
}
