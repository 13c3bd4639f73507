package io.caravan.mailproxy.endtoend;

import static java.util.stream.Collectors.toSet;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;

/**
 * Faults of proxies under load, again and again on one store; then four ledgers are held against
 * each other: what clients got a 2xx for, what the relay took, what the database says, what the
 * application was told.
 */
public final class FaultRounds implements AutoCloseable {
  /** How long the leases of its proxies hold. */
  public static final int LEASE_SECONDS = 2;

  private static final int CLIENTS = 4;
  private static final int BATCH = 5;
  private static final int MAX_ANSWER_PAUSE_MILLIS = 5;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** What happens to a proxy in a round. */
  public enum Fault {
    /** kill -9, and a new start. */
    KILL,
    /** SIGSTOP for three lease times at least, and until others did what it held; SIGCONT. */
    PAUSE,
    /** SIGTERM, and a new start. */
    DRAIN,
    /** One of several does not reach the database, as long as in PAUSE: silence, or refusal. */
    CUT
  }

  private final Random random;
  private final Path[] homes;
  private final ProxyProcess[] nodes;

  /** Between each of several nodes and the database. */
  private final List<FaultProxy> networks = new ArrayList<>();

  private final Process sink;
  private final Ledgers ledgers;
  private final TestApplication application = new TestApplication();
  private final List<Duration> recoveries = new ArrayList<>();
  private final List<Paused> paused = new ArrayList<>();
  private boolean stopped = true;
  private int rounds;

  /**
   * A proxy that stood still, or was cut off, until others had done what it held.
   *
   * @param from how many mails the relay had when it went on
   */
  private record Paused(String node, Set<String> held, int from) {}

  /**
   * Starts the relay, the application and the proxies, in an empty folder; several proxies at once.
   *
   * @param homes folders in it; more than one must share a database on PostgreSQL
   */
  public FaultRounds(Path folder, Random random, Path... homes) throws IOException {
    this.random = random;
    this.homes = homes.clone();
    this.nodes = new ProxyProcess[homes.length];
    Path book = folder.resolve("ledger.tsv");
    this.ledgers = new Ledgers(book);
    for (Path home : homes) {
      Files.createDirectories(home.resolve("routes.d"));
      Files.writeString(home.resolve("routes.d/hooks.camel.yaml"), named(home));
    }
    this.sink =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                SmtpSink.class.getName(),
                book.toString(),
                String.valueOf(MAX_ANSWER_PAUSE_MILLIS))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String port =
        new BufferedReader(new InputStreamReader(sink.getInputStream(), StandardCharsets.US_ASCII))
            .readLine();
    for (int i = 0; i < homes.length && homes.length > 1; i++) {
      networks.add(new FaultProxy(databasePort()));
    }
    startAll();
    nodes[0].post("/tenant", "{\"id\":\"acme\",\"client_base_url\":\"" + application.url() + "\"}");
    nodes[0].post(
        "/account",
        "{\"id\":\"relay\",\"tenant_id\":\"acme\",\"host\":\"127.0.0.1\",\"port\":"
            + port
            + ",\"max_connections\":20}");
    for (ProxyProcess node : nodes) {
      awaitTrue("all know the account", () -> knows(node));
    }
  }

  /** So that the relay sees whose mail it is. */
  private static String named(Path home) {
    return """
        - route:
            id: on-before-send
            description: Names the proxy.
            routeConfigurationId: inner
            from:
              uri: direct:on-before-send
              steps:
                - setHeader: { id: name-proxy, name: X-Node, expression: { constant: { expression: "%s" } } }
        """
        .formatted(home.getFileName());
  }

  private void startAll() throws IOException {
    try {
      Arrays.parallelSetAll(nodes, this::startProxy);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private int databasePort() {
    return URI.create(TestStore.path(homes[0])).getPort();
  }

  private ProxyProcess startProxy(int node) {
    String database = TestStore.path(homes[node]);
    if (!networks.isEmpty()) {
      String port = ":" + databasePort() + "/";
      database = database.replace(port, ":" + networks.get(node).port() + "/");
    }
    try {
      return ProxyProcess.start(homes[node], "GMP_RETRY_DELAYS", "1", "GMP_DB_PATH", database);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean knows(ProxyProcess node) {
    try (KeepAlive connection = node.connect()) {
      return connection.get("/accounts?tenant_id=acme").body().contains("\"relay\"");
    } catch (IOException e) {
      return false;
    }
  }

  /** Posts messages and lets a fault happen at some moment before the last one is sent. */
  public void round(int messages, Fault fault) throws IOException, SQLException {
    rounds++;
    int before = ledgers.accepted().size();
    int taken = ledgers.mails().size();
    AtomicInteger next = new AtomicInteger();
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    try {
      for (int i = 0; i < CLIENTS; i++) {
        int first = i;
        clients.execute(() -> post(first, next, messages));
      }
      // by answers as often as by mails at the relay, so that both sides are cut
      boolean intake = random.nextBoolean();
      int moment = 1 + random.nextInt(messages - 1);
      IntSupplier reached =
          intake ? () -> ledgers.accepted().size() - before : () -> ledgers.mails().size() - taken;
      awaitTrue("moment of the fault", () -> reached.getAsInt() >= moment);
      happen(random.nextInt(nodes.length), fault);
    } finally {
      clients.shutdown();
    }
    try {
      if (!clients.awaitTermination(60, TimeUnit.SECONDS)) {
        throw new IOException("a client hangs");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void happen(int victim, Fault fault) throws IOException, SQLException {
    ProxyProcess node = nodes[victim];
    String name = homes[victim].getFileName().toString();
    long at = System.currentTimeMillis();
    long begun = System.nanoTime();
    Set<String> held = Set.of();
    switch (fault) {
      case KILL -> {
        node.kill();
        held = held(victim);
      }
      case PAUSE -> {
        node.signal("STOP");
        held = held(victim);
      }
      case DRAIN -> {
        held = held(victim);
        node.signal("TERM");
      }
      case CUT -> {
        FaultProxy network = networks.get(victim);
        if (random.nextBoolean()) {
          network.partition();
        } else {
          network.down();
        }
        held = held(victim);
      }
    }
    if (nodes.length > 1) {
      takenOver(held, name, at);
    }
    if (fault == Fault.PAUSE || fault == Fault.CUT) {
      Set<String> done = held;
      awaitTrue("others send what it held", () -> nodes.length == 1 || settled(done));
      awaitTrue("its lease is long over", () -> secondsSince(begun) >= 3 * LEASE_SECONDS);
      if (nodes.length > 1) {
        paused.add(new Paused(name, done, ledgers.mails().size()));
      }
      if (fault == Fault.PAUSE) {
        node.signal("CONT");
      } else {
        networks.get(victim).heal();
        networks.get(victim).up();
      }
      awaitTrue("it works again", () -> works(victim));
      return;
    }
    if (fault == Fault.DRAIN) {
      stopped &= node.awaitEnd(PATIENCE) == 0;
    }
    nodes[victim] = startProxy(victim);
    if (nodes.length == 1) {
      recoveries.add(nodes[victim].startTime());
    }
  }

  private static double secondsSince(long begun) {
    return (System.nanoTime() - begun) / 1e9;
  }

  /** Measures how long what it held waited for another one. */
  private void takenOver(Set<String> held, String name, long at) throws SQLException {
    if (held.isEmpty()) {
      return;
    }
    awaitTrue(
        "takeover",
        () ->
            settled(held)
                || ledgers.mails().stream()
                    .anyMatch(mail -> isTakenOver(mail, held, name) && mail.at() >= at));
    ledgers.mails().stream()
        .filter(mail -> isTakenOver(mail, held, name) && mail.at() >= at)
        .mapToLong(Ledgers.Mail::at)
        .min()
        .ifPresent(first -> recoveries.add(Duration.ofMillis(first - at)));
  }

  private static boolean isTakenOver(Ledgers.Mail mail, Set<String> held, String name) {
    return held.contains(mail.id()) && !mail.node().equals(name);
  }

  /** Ids of the messages that a proxy has leased. */
  private Set<String> held(int node) throws SQLException {
    if (nodes.length == 1) {
      return Set.of();
    }
    return ids(
        "SELECT DISTINCT m.id FROM queue q JOIN message m ON m.pk = q.message_pk JOIN node n ON n.pk ="
            + " q.lease_owner WHERE q.state = 'leased' AND n.name = ?",
        homes[node].toString());
  }

  private boolean settled(Set<String> ids) {
    try {
      Set<String> pending =
          ids(
              "SELECT m.id FROM queue q JOIN message m ON m.pk = q.message_pk WHERE ? <> ''",
              "all");
      return ids.stream().noneMatch(pending::contains);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private Set<String> ids(String query, String value) throws SQLException {
    try (Connection store = TestStore.connect(homes[0]);
        PreparedStatement statement = store.prepareStatement(query)) {
      statement.setString(1, value);
      Set<String> ids = new HashSet<>();
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          ids.add(rows.getString(1));
        }
      }
      return ids;
    }
  }

  /** Whether a message that a proxy is given now is sent. */
  private boolean works(int node) {
    String id = "again-" + rounds;
    try (KeepAlive connection = nodes[node].connect()) {
      String batch = "{\"messages\":[" + message(id) + "]}";
      if (connection.post("/commands/add-messages", batch).status() == 200) {
        ledgers.accepted().add(id);
        return ledgers.mails().stream().anyMatch(mail -> mail.id().equals(id));
      }
      return false;
    } catch (IOException e) {
      return false;
    }
  }

  /** One client: where a proxy does not answer 2xx, it goes on with the next one. */
  private void post(int first, AtomicInteger next, int messages) {
    for (int from = next.getAndAdd(BATCH); from < messages; from = next.getAndAdd(BATCH)) {
      List<String> ids = new ArrayList<>();
      StringBuilder batch = new StringBuilder("{\"messages\":[");
      for (int i = from; i < Math.min(from + BATCH, messages); i++) {
        String id = "r" + rounds + "-" + i;
        batch.append(i == from ? "" : ",").append(message(id));
        ids.add(id);
      }
      batch.append("]}");
      boolean taken = false;
      for (int i = 0; i < nodes.length && !taken; i++) {
        taken = post(nodes[(first + i) % nodes.length], batch.toString());
      }
      if (!taken) {
        return;
      }
      ledgers.accepted().addAll(ids);
    }
  }

  private static boolean post(ProxyProcess node, String batch) {
    try (KeepAlive connection = node.connect()) {
      return connection.post("/commands/add-messages", batch).status() / 100 == 2;
    } catch (IOException e) {
      return false; // killed, or it stands still
    }
  }

  private static String message(String id) {
    return String.format(
        "{\"id\":\"%1$s\",\"tenant_id\":\"acme\",\"account_id\":\"relay\",\"from\":\"a@example.test\","
            + "\"to\":[\"b@example.test\"],\"subject\":\"%1$s\",\"body\":\"%1$s\"}",
        id);
  }

  private static void awaitTrue(String what, BooleanSupplier condition) {
    await(what)
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(2))
        .until(condition::getAsBoolean);
  }

  /** Lets the proxies send what is left, stops them, and compares. */
  public Ledgers.Result finish() throws IOException, SQLException {
    awaitTrue("all is sent", () -> settled(ledgers.accepted()));
    awaitTrue("the queue is empty", this::isEmpty);
    awaitTrue("all is told", () -> told().containsAll(ledgers.accepted()));
    for (ProxyProcess node : nodes) {
      stopped &= node.stop() == 0;
    }
    int stale = paused.stream().mapToInt(this::stale).sum();
    try (Connection store = TestStore.connect(homes[0])) {
      return ledgers.compare(store, told(), rounds, stale, stopped, recoveries);
    }
  }

  private int stale(Paused one) {
    return (int)
        ledgers.mails().stream()
            .skip(one.from())
            .filter(mail -> mail.node().equals(one.node()) && one.held().contains(mail.id()))
            .count();
  }

  private boolean isEmpty() {
    try {
      return ids("SELECT CAST(pk AS text) FROM queue WHERE ? <> ''", "all").isEmpty();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Ids of the messages of which the application knows that they are sent, or given up. */
  private Set<String> told() {
    return application.events().stream()
        .filter(event -> event.has("sent_ts") || event.has("error_ts"))
        .map(event -> event.path("id").asText())
        .collect(toSet());
  }

  @Override
  public void close() throws IOException {
    for (ProxyProcess node : nodes) {
      if (node != null) {
        node.close();
      }
    }
    sink.destroyForcibly();
    application.close();
    for (FaultProxy network : networks) {
      network.close();
    }
  }
}
