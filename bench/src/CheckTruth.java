import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.KeepAlive;
import io.caravan.mailproxy.endtoend.ProxyProcess;
import io.caravan.mailproxy.endtoend.TestStore;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** bench/check-truth; see bench/README.md. */
public final class CheckTruth {
  private static final String USAGE = "bench/check-truth [--messages 2000..100000] [--db sqlite|postgresql|URL]";

  private static final Duration ALL = Duration.ofMinutes(10);
  private static final Duration SENT_WITHIN = Duration.ofMinutes(7);
  private static final Duration TOLD_WITHIN = Duration.ofSeconds(40);
  private static final int BATCH = 100;
  private static final int CLIENTS = 4;
  private static final String PREFIX = "truth";

  /** Accounts of three tenants, two of which use one id; the last three meet limits. */
  private static final List<Place> PLACES =
      List.of(
          new Place("acme", "main", "fast.test", ""),
          new Place("beta", "main", "fast.test", ""),
          new Place("beta", "bulk", "fast.test", ""),
          new Place("gamma", "news", "fast.test", ""),
          new Place("acme", "minute", "fast.test", ",\"limit_per_minute\":300,\"limit_per_day\":99999"),
          new Place("gamma", "strict", "fast.test", ",\"limit_per_minute\":90,\"limit_behavior\":\"reject\""),
          new Place("beta", "ruled", "slow.test", ""));

  /** Mails that meet a limit: of each account of its own, the first of all. */
  private static final Map<String, Integer> LIMITED = Map.of("minute", 500, "strict", 150, "ruled", 100);

  private static final int RULE_PER_HOUR = 60;
  private static final String RULE =
      "{\"name\":\"slow\",\"domains\":[\"slow.test\"],\"messages_per_hour\":" + RULE_PER_HOUR + "}";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path checkout = Path.of("").toAbsolutePath();
  private final Path folder =
      Files.createTempDirectory(Files.createDirectories(Path.of("target/bench")), "truth-")
          .toAbsolutePath();
  private final HttpClient http =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
  private final int messages;
  private final String db;
  private final List<Mail> mails = new ArrayList<>();

  private int checks;
  private boolean held = true;

  /** An account, and the domain its mail goes to. */
  private record Place(String tenant, String account, String domain, String limits) {}

  /** A message, as the client knows it. */
  private record Mail(Place place, int number, List<String> to) {}

  private CheckTruth(int messages, String db) throws IOException {
    this.messages = messages;
    this.db = db;
  }

  public static void main(String[] args) throws Exception {
    int messages = 20_000;
    String db = "sqlite";
    for (int i = 0; i + 1 < args.length; i += 2) {
      switch (args[i]) {
        case "--messages" -> messages = Integer.parseInt(args[i + 1]);
        case "--db" -> db = args[i + 1];
        default -> messages = 0;
      }
    }
    if (args.length % 2 != 0 || messages < 2000 || messages > 100_000) {
      System.err.println(USAGE);
      System.exit(2);
    }
    Thread watch =
        new Thread(
            () -> {
              try {
                Thread.sleep(ALL.toMillis());
                System.out.println("FAILS  not done within " + ALL.toMinutes() + " minutes");
                System.exit(1);
              } catch (InterruptedException e) {
                // done
              }
            });
    watch.setDaemon(true);
    watch.start();
    CheckTruth check =
        new CheckTruth(messages, db.equals("postgresql") ? TestStore.postgres() : db);
    try {
      check.all();
    } catch (Exception e) {
      check.that("the run comes to its end", false, e.toString());
    }
    System.out.printf("%s  %d checks%n", check.held ? "HOLDS" : "VIOLATED", check.checks);
    System.exit(check.held ? 0 : 1);
  }

  private void that(String what, boolean holds, Object remark) {
    checks++;
    held &= holds;
    System.out.println((holds ? "ok     " : "FAILS  ") + what + (holds ? "" : ": " + remark));
  }

  private void all() throws Exception {
    System.out.println("files in " + checkout.relativize(folder));
    plan();
    try (Relay relay = new Relay();
        Application application = new Application();
        Statsd statsd = new Statsd();
        ProxyProcess proxy = start(application, statsd);
        Connection store = store()) {
      if (count(store, "SELECT count(*) FROM message") != 0) {
        throw new IOException("the database is not empty");
      }
      List<String> contradictions = new ArrayList<>();
      equip(proxy, relay.server.port());
      long begun = System.nanoTime();
      long posts = post(proxy);
      long ruled = Math.max(0, LIMITED.get("ruled") - RULE_PER_HOUR);
      awaitPending(proxy, ruled, contradictions);
      rules(proxy, ""); // an hour is too long
      awaitPending(proxy, 0, contradictions);
      System.out.printf(
          "       %,d messages to their end in %.0f s%n", messages, (System.nanoTime() - begun) / 1e9);

      List<Fact> facts = List.of();
      long end = System.nanoTime() + TOLD_WITHIN.toNanos();
      do { // until StatsD was told and all is reported
        Thread.sleep(500);
        facts =
            facts(
                scrape(proxy, contradictions), statsd, new Ledger(store), relay, application, posts);
      } while (facts.stream().anyMatch(fact -> !fact.holds()) && System.nanoTime() < end);
      for (Fact fact : facts) {
        that(fact.text(), fact.holds(), fact.differences());
      }
      enough(new Ledger(store));
      that("no two figures of any scrape contradicted each other", contradictions.isEmpty(), contradictions);
      that("the proxy stops on SIGTERM", proxy.stop() >= 0, "not within 60 s");
    }
  }

  // what is posted

  /** Of a hundred: ten are put off, five refused; some in every other way. */
  private void plan() {
    List<Place> places = new ArrayList<>();
    PLACES.forEach(
        place -> {
          for (int i = 0; i < LIMITED.getOrDefault(place.account(), 0); i++) {
            places.add(place);
          }
        });
    while (places.size() < messages) {
      places.add(PLACES.get(places.size() % (PLACES.size() - LIMITED.size())));
    }
    for (int i = 0; i < messages; i++) {
      Place place = places.get(i);
      List<String> to = new ArrayList<>();
      for (String word : words(place, i)) {
        to.add(word + "-" + i + "@" + place.domain());
      }
      mails.add(new Mail(place, i, to));
    }
  }

  /** What the relay is to say of each recipient. */
  private static List<String> words(Place place, int i) {
    if (place.account().equals("ruled")) {
      return List.of("fine"); // of these the rule alone says when
    }
    if (i % 500 == 57 && !LIMITED.containsKey(place.account())) { // else a limit may be its end
      return List.of("never");
    }
    if (i % 400 == 15) {
      return List.of("broken");
    }
    return switch (i % 100) {
      case 0, 10, 20, 30, 40, 50 -> List.of("later1");
      case 60, 70 -> List.of("later2");
      case 80 -> List.of("dotlater");
      case 90 -> List.of("later1", "fine");
      case 1, 21, 41 -> List.of("refused");
      case 61 -> List.of("dotrefused");
      case 81 -> List.of("fine", "refused");
      default -> List.of("fine");
    };
  }

  private ProxyProcess start(Application application, Statsd statsd) throws IOException {
    Path home = Files.createDirectories(folder.resolve("proxy"));
    Files.createDirectories(home.resolve("routes.d"));
    Files.createSymbolicLink(home.resolve("config"), checkout.resolve("config"));
    Files.createSymbolicLink(home.resolve("routes"), checkout.resolve("routes"));
    List<String> settings =
        new ArrayList<>(
            List.of(
                "GMP_CLIENT_SYNC_URL", application.url(),
                "GMP_SYNC_RETRY_DELAYS", "1",
                "GMP_RETRY_DELAYS", "1",
                "GMP_TELEMETRY_COUNT_SECONDS", "2",
                "GMP_STATSD_HOST", "127.0.0.1",
                "GMP_STATSD_PORT", String.valueOf(statsd.port()),
                "GMP_STATSD_PREFIX", PREFIX,
                "GMP_STATSD_INTERVAL_SECONDS", "1"));
    if (!db.equals("sqlite")) {
      String key = Base64.getEncoder().encodeToString(new byte[32]);
      settings.addAll(List.of("GMP_DB_PATH", db, "MAIL_PROXY_ENCRYPTION_KEY", key));
    }
    ProxyProcess proxy =
        ProxyProcess.start(
            home,
            checkout.resolve("target/mail-proxy.jar").toString(),
            List.of("-Xmx1g", "-XX:+UseParallelGC"), // as bin/mail-proxy does
            settings.toArray(String[]::new));
    Runtime.getRuntime().addShutdownHook(new Thread(proxy::close));
    return proxy;
  }

  private void equip(ProxyProcess proxy, int port) throws Exception {
    for (Place place : PLACES) {
      proxy.post("/tenant", "{\"id\":\"%s\"}".formatted(place.tenant()));
      proxy.post(
          "/account",
          "{\"id\":\"%s\",\"tenant_id\":\"%s\",\"host\":\"127.0.0.1\",\"port\":%d%s}"
              .formatted(place.account(), place.tenant(), port, place.limits()));
    }
    rules(proxy, RULE);
  }

  private void rules(ProxyProcess proxy, String rules) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + proxy.port() + "/throttle-rules"))
            .timeout(Duration.ofSeconds(20))
            .header("X-API-Token", ProxyProcess.TOKEN)
            .header("Content-Type", "application/json")
            .PUT(HttpRequest.BodyPublishers.ofString("{\"throttle_rules\":[" + rules + "]}"))
            .build();
    int status = http.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
    if (status != 200) {
      throw new IOException("PUT /throttle-rules: " + status);
    }
  }

  /** Posts all of it over several connections; answers how many requests that took. */
  private long post(ProxyProcess proxy) throws Exception {
    AtomicLong posts = new AtomicLong();
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    try {
      List<Future<?>> work = new ArrayList<>();
      for (int c = 0; c < CLIENTS; c++) {
        int first = c * BATCH;
        Callable<Void> client =
            () -> {
              try (KeepAlive connection = proxy.connect()) {
                for (int i = first; i < messages; i += CLIENTS * BATCH) {
                  List<Mail> batch = mails.subList(i, Math.min(messages, i + BATCH));
                  KeepAlive.Answer answer = connection.post("/commands/add-messages", json(batch));
                  posts.incrementAndGet();
                  if (JSON.readTree(answer.body()).path("queued").asInt() != batch.size()) {
                    throw new IOException("not all queued: " + answer);
                  }
                }
              }
              return null;
            };
        work.add(clients.submit(client));
      }
      for (Future<?> client : work) {
        client.get();
      }
    } finally {
      clients.shutdownNow();
    }
    return posts.get();
  }

  private static String json(List<Mail> batch) {
    return batch.stream()
        .map(
            mail ->
                ("{\"id\":\"m-%d\",\"tenant_id\":\"%s\",\"account_id\":\"%s\",\"subject\":\"s\","
                        + "\"from\":\"a@%s.test\",\"to\":[%s],\"body\":\"b\"}")
                    .formatted(
                        mail.number(),
                        mail.place().tenant(),
                        mail.place().account(),
                        mail.place().account(),
                        mail.to().stream().collect(Collectors.joining("\",\"", "\"", "\""))))
        .collect(Collectors.joining(",", "{\"messages\":[", "]}"));
  }

  /** Waits until no more than so many messages are pending, and looks at each scrape meanwhile. */
  private void awaitPending(ProxyProcess proxy, long pending, List<String> contradictions)
      throws Exception {
    long end = System.nanoTime() + SENT_WITHIN.toNanos();
    while (scrape(proxy, contradictions).of("gmp_pending_messages").getOrDefault(List.of(), 0L)
        > pending) {
      if (System.nanoTime() > end) {
        throw new IOException("messages are still pending");
      }
      Thread.sleep(500);
    }
  }

  // what is compared

  /** Figures of one thing by several sources, each by the values of its labels. */
  private record Fact(String what, Map<String, Map<List<String>, Long>> sources) {
    boolean holds() {
      return sources.values().stream().map(Fact::counted).distinct().count() == 1;
    }

    /** What is 0 need not be told. */
    private static Map<List<String>, Long> counted(Map<List<String>, Long> figures) {
      return figures.entrySet().stream()
          .filter(figure -> figure.getValue() != 0)
          .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    String text() {
      long sum = sources.values().iterator().next().values().stream().mapToLong(n -> n).sum();
      return "%s: %,d by %s".formatted(what, sum, String.join(", ", sources.keySet()));
    }

    String differences() {
      Set<String> differences = new TreeSet<>();
      for (Map<List<String>, Long> source : sources.values()) {
        for (List<String> labels : source.keySet()) {
          Map<String, Long> found = new LinkedHashMap<>();
          sources.forEach((name, figures) -> found.put(name, figures.getOrDefault(labels, 0L)));
          if (found.values().stream().distinct().count() > 1) {
            differences.add(labels + " " + found);
          }
        }
      }
      return String.join("; ", differences);
    }
  }

  private List<Fact> facts(
      Prometheus prometheus,
      Statsd statsd,
      Ledger database,
      Relay relay,
      Application application,
      long posts)
      throws Exception {
    Map<List<String>, Long> posted = new TreeMap<>(BY_TEXT);
    Map<List<String>, Long> arrived = new TreeMap<>(BY_TEXT);
    long never = 0;
    for (Mail mail : mails) {
      add(posted, 1, mail.place().account());
      add(arrived, relay.taken.containsAll(mail.to()) ? 1 : 0, mail.place().account());
      never += mail.to().get(0).startsWith("never") ? 1 : 0;
    }
    Map<List<String>, Long> missing = new TreeMap<>(BY_TEXT);
    posted.forEach((account, n) -> missing.put(account, n - arrived.get(account)));
    Map<List<String>, Long> results = relay.by(t -> List.of(t.account, "__default", t.result()));
    long transactions = relay.transactions.size();
    Exports both = new Exports(prometheus, statsd);

    List<Fact> facts = new ArrayList<>();
    facts.add(
        both.of("remote_messages_new_total")
            .and("client", total(messages))
            .and("database", total(database.messages))
            .fact());
    facts.add(
        both.of("gmp_sent_total")
            .and("events", database.events("sent"))
            .and("recipients", database.allSent)
            .and("relay", arrived)
            .fact());
    facts.add(
        both.of("gmp_errors_total")
            .and("events", database.events("error"))
            .and("client and relay", missing)
            .fact());
    facts.add(both.of("gmp_deferred_total").and("events", database.events("deferred")).fact());
    facts.add(both.of("gmp_rate_limited_total").and("events", database.limited).fact());
    facts.add(both.of("gmp_pending_messages").and("database", total(database.left)).fact());
    Map<List<String>, Long> attempts = new TreeMap<>(BY_TEXT);
    Map<List<String>, Long> limited = new TreeMap<>(BY_TEXT);
    database.attempts.forEach(
        (labels, n) -> (labels.contains("connmaxout") ? limited : attempts).put(labels, n));
    facts.add(
        both.of("remote_delivery_attempts_total")
            .without("connmaxout") // whoever finds no free connection leaves no trace
            .and("events", attempts)
            .and("relay", results)
            .fact());
    for (String result : List.of("success", "deferral", "failure")) {
      facts.add(
          both.of("remote_attempts_" + result)
              .and("events", total(sum(attempts, result)))
              .and("relay", total(sum(results, result)))
              .fact());
    }
    facts.add(
        both.of("remote_attempts_connmaxout_msgperhour")
            .and("events", total(sum(limited, "connmaxout")))
            .fact());
    long ended = sum(prometheus.of("remote_delivery_attempts_total"), "__default");
    facts.add(both.of("remote_attempts_started").and("attempts that ended", total(ended)).fact());
    facts.add(
        new Sources("deferrals by relays that another attempt followed")
            .and("events", total(database.putOff))
            .and("relay", total(sum(results, "deferral") - never))
            .fact());
    facts.add(
        both.of("remote_messages_disk_queue_add_total")
            .and("events", total(database.putOffFirst))
            .fact());
    facts.add(
        new Sources("replies 4xx and 5xx to recipients and bodies")
            .and("events", database.replies)
            .and("relay", relay.replies)
            .fact());
    long connections = relay.server.connections.get();
    facts.add(
        both.of("remote_connection_new_total").and("relay", List.of("default"), connections).fact());
    facts.add(
        both.of("remote_connection_reused_total")
            .and("relay", List.of("default"), transactions - connections)
            .fact());
    facts.add(
        both.of("remote_connections_active")
            .and("relay", List.of("default"), (long) relay.server.open.get())
            .fact());
    facts.add(both.of("remote_connection_failed_total").and("relay", total(0)).fact());
    facts.add(
        both.of("event_delivery_delivered_total")
            .and("database", List.of("sync"), database.reported)
            .and("application", List.of("sync"), application.taken.get())
            .fact());
    long unanswered = sum(prometheus.of("event_delivery_network_failed_total"), "sync");
    facts.add(
        both.of("event_delivery_failed_total")
            .and("application and network", List.of("sync"), application.refused.get() + unanswered)
            .fact());
    facts.add(
        new Sources("events still to be reported")
            .and("database", total(database.unreported))
            .and("nobody", total(0))
            .fact());

    // to Prometheus alone
    facts.add(
        prometheus
            .only("http_request_duration_seconds_count", "inject")
            .and("client", List.of("inject"), posts)
            .fact());
    facts.add(
        prometheus
            .only("mailproxy_attempts_uncertain_total")
            .and("events", database.events("uncertain"))
            .and("relay", relay.by(t -> t.broken ? List.of(t.account) : null))
            .fact());
    facts.add(
        prometheus
            .only("mailproxy_attempt_seconds_count", "mail")
            .and("relay", List.of("mail"), transactions)
            .fact());
    Map<List<String>, Long> bodies = relay.by(t -> t.body ? List.of(t.account, "day") : null);
    facts.add(
        prometheus
            .only("mailproxy_attempt_seconds_count", "dot")
            .and("relay", List.of("dot"), sum(bodies, "day"))
            .fact());
    bodies.keySet().removeIf(labels -> !labels.contains("minute"));
    facts.add(prometheus.only("mailproxy_rate_used", "day").and("relay", bodies).fact());
    facts.add(
        prometheus
            .only("mailproxy_report_seconds_count")
            .and("application", total(application.taken.get()))
            .fact());
    facts.add(prometheus.only("mailproxy_invariant_violations_total").and("nobody", total(0)).fact());
    return facts;
  }

  /** What the run was made for has happened. */
  private void enough(Ledger database) {
    long deferred = database.putOffFirst;
    long failed = database.events("error").values().stream().mapToLong(n -> n).sum();
    that("a tenth of the mail was put off", deferred >= messages * 9L / 100, deferred);
    that("a twentieth was refused", failed >= messages * 45L / 1000, failed);
    that(
        "limits were met: by minute, with rejection, of a rule",
        database.limited.keySet().equals(Set.of(List.of("minute"), List.of("strict"), List.of("ruled"))),
        database.limited);
  }

  private static final java.util.Comparator<List<String>> BY_TEXT =
      java.util.Comparator.comparing(labels -> String.join(",", labels));

  private static Map<List<String>, Long> total(long figure) {
    return Map.of(List.of(), figure);
  }

  private static void add(Map<List<String>, Long> figures, long more, String... labels) {
    figures.merge(List.of(labels), more, Long::sum);
  }

  /** Of the figures with such a label. */
  private static long sum(Map<List<String>, Long> figures, String label) {
    return figures.entrySet().stream()
        .filter(figure -> figure.getKey().contains(label))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  /** Makes a fact. */
  private static final class Sources {
    private final String what;
    private final Map<String, Map<List<String>, Long>> sources = new LinkedHashMap<>();

    Sources(String what) {
      this.what = what;
    }

    Sources and(String source, Map<List<String>, Long> figures) {
      Map<List<String>, Long> copy = new TreeMap<>(BY_TEXT);
      copy.putAll(figures);
      sources.put(source, copy);
      return this;
    }

    Sources and(String source, List<String> labels, long figure) {
      return and(source, Map.of(labels, figure));
    }

    /** Leaves out what has such a label. */
    Sources without(String label) {
      sources.values().forEach(figures -> figures.keySet().removeIf(key -> key.contains(label)));
      return this;
    }

    Fact fact() {
      return new Fact(what, sources);
    }
  }

  // the two exports

  private record Exports(Prometheus prometheus, Statsd statsd) {
    Sources of(String family) throws IOException {
      Map<List<String>, Long> figures = prometheus.of(family);
      return new Sources(family)
          .and("Prometheus", figures)
          .and("StatsD", statsd.of(family, figures.keySet()));
    }
  }

  /** One scrape: values of the labels, in the order in which they are written, by family. */
  private static final class Prometheus {
    private static final Pattern SAMPLE = Pattern.compile("(\\w+)(?:\\{(.*)})? (\\S+)");
    private static final Pattern LABEL = Pattern.compile("\\w+=\"([^\"]*)\"");
    private final Map<String, Map<List<String>, Long>> families = new TreeMap<>();

    Prometheus(String text) {
      text.lines()
          .map(SAMPLE::matcher)
          .filter(Matcher::matches)
          .forEach(
              sample -> {
                List<String> labels = new ArrayList<>();
                Matcher label = LABEL.matcher(sample.group(2) == null ? "" : sample.group(2));
                while (label.find()) {
                  labels.add(label.group(1));
                }
                families
                    .computeIfAbsent(sample.group(1), name -> new TreeMap<>(BY_TEXT))
                    .put(labels, (long) Double.parseDouble(sample.group(3).replace("Inf", "Infinity")));
              });
    }

    Map<List<String>, Long> of(String family) {
      return families.getOrDefault(family, new TreeMap<>(BY_TEXT));
    }

    /** A family that goes to Prometheus alone; of it what has all these labels. */
    Sources only(String family, String... labels) {
      Map<List<String>, Long> figures = new TreeMap<>(BY_TEXT);
      of(family)
          .forEach(
              (key, figure) -> {
                if (key.containsAll(List.of(labels))) {
                  figures.put(key, figure);
                }
              });
      return new Sources(family + (labels.length == 0 ? "" : " " + String.join(",", labels)))
          .and("Prometheus", figures);
    }
  }

  private Prometheus scrape(ProxyProcess proxy, List<String> contradictions) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + proxy.port() + "/metrics"))
            .timeout(Duration.ofSeconds(20))
            .build();
    Prometheus scrape =
        new Prometheus(http.send(request, HttpResponse.BodyHandlers.ofString()).body());
    scrape
        .of("mailproxy_invariant_violations_total")
        .forEach(
            (rule, times) -> {
              if (times > 0 && !contradictions.contains(rule.toString())) {
                contradictions.add(rule.toString());
              }
            });
    return scrape;
  }

  /** A StatsD server: counters as the sum of what arrived, gauges as they came last. */
  private final class Statsd implements AutoCloseable {
    private static final int BUFFER_BYTES = 8_388_608;
    private final DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
    private final Map<String, Long> values = new ConcurrentHashMap<>();

    /** Key and labels of a family, from the catalogue. */
    private final Map<String, String[]> catalogue = new TreeMap<>();

    Statsd() throws IOException {
      socket.setReceiveBufferSize(BUFFER_BYTES);
      for (String line :
          Files.readAllLines(checkout.resolve("src/main/resources/telemetry/metrics.tsv"))) {
        String[] column = line.split("\t", -1);
        catalogue.put(column[0], column);
      }
      Thread reader = new Thread(this::read, "statsd");
      reader.setDaemon(true);
      reader.start();
    }

    int port() {
      return socket.getLocalPort();
    }

    private void read() {
      DatagramPacket packet = new DatagramPacket(new byte[65_536], 65_536);
      try {
        while (true) {
          socket.receive(packet);
          new String(packet.getData(), 0, packet.getLength(), StandardCharsets.US_ASCII)
              .lines()
              .forEach(this::line);
        }
      } catch (IOException e) {
        // closed
      }
    }

    private void line(String line) {
      int colon = line.indexOf(':');
      String[] value = line.substring(colon + 1).split("\\|", -1);
      if (value[1].equals("c")) {
        values.merge(line.substring(0, colon), Long.parseLong(value[0]), Long::sum);
      } else if (value[1].equals("g")) {
        values.put(line.substring(0, colon), (long) Double.parseDouble(value[0]));
      }
    }

    /** Of these labels; what has others is told as a difference. */
    Map<List<String>, Long> of(String family, Set<List<String>> labels) throws IOException {
      String[] column = catalogue.get(family);
      if (column == null) {
        throw new IOException("no metric " + family);
      }
      String base = PREFIX + "." + column[3];
      List<String> names = new ArrayList<>();
      for (String name : column[2].split(",", -1)) {
        names.add(name.split(":", -1)[0]);
      }
      Map<List<String>, Long> found = new TreeMap<>(BY_TEXT);
      Set<String> known = new TreeSet<>();
      for (List<String> of : labels) {
        StringBuilder key = new StringBuilder(base);
        for (int i = 0; i < of.size(); i++) {
          key.append('.').append(names.get(i)).append('_');
          key.append(of.get(i).replaceAll("[^a-zA-Z0-9]", "_"));
        }
        known.add(key.toString());
        found.put(of, values.getOrDefault(key.toString(), 0L));
      }
      String start = labels.contains(List.of()) ? base : base + "." + names.get(0) + "_";
      values.forEach(
          (key, value) -> {
            boolean mine = labels.contains(List.of()) ? key.equals(start) : key.startsWith(start);
            if (mine && !known.contains(key)) {
              found.put(List.of(key), value);
            }
          });
      return found;
    }

    @Override
    public void close() {
      socket.close();
    }
  }

  // the database

  private Connection store() throws SQLException {
    if (db.equals("sqlite")) {
      return DriverManager.getConnection(
          "jdbc:sqlite:" + ProxyProcess.database(folder.resolve("proxy")));
    }
    URI url = URI.create(db);
    String[] user = (url.getUserInfo() == null ? "" : url.getUserInfo()).split(":", 2);
    return DriverManager.getConnection(
        "jdbc:" + db.replaceFirst("//[^/]*@", "//"), user[0], user.length > 1 ? user[1] : "");
  }

  private static long count(Connection store, String query) throws SQLException {
    try (var statement = store.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }

  /** What the rows of the database say. */
  private static final class Ledger {
    final long messages;
    final long left;
    final long reported;
    final long unreported;

    /** Messages by account all of whose recipients are sent. */
    final Map<List<String>, Long> allSent = new TreeMap<>(BY_TEXT);

    /** Deliveries by account that met a spent window. */
    final Map<List<String>, Long> limited = new TreeMap<>(BY_TEXT);

    /** Attempts by account, throttle and result. */
    final Map<List<String>, Long> attempts = new TreeMap<>(BY_TEXT);

    /** Refusals by relays: phase and first digit. */
    final Map<List<String>, Long> replies = new TreeMap<>(BY_TEXT);

    private final Map<String, Map<List<String>, Long>> events = new TreeMap<>();
    long putOff;
    long putOffFirst;

    Ledger(Connection store) throws SQLException, IOException {
      messages = count(store, "SELECT count(*) FROM message");
      left = count(store, "SELECT count(DISTINCT message_pk) FROM queue");
      String told = "SELECT count(*) FROM event WHERE type IN ('deferred', 'sent', 'error')";
      reported = count(store, told + " AND reported_at IS NOT NULL");
      unreported = count(store, told + " AND reported_at IS NULL");
      try (var statement = store.createStatement()) {
        try (ResultSet rows =
            statement.executeQuery(
                "SELECT account_id, count(*) FROM message m WHERE NOT EXISTS (SELECT 1 FROM recipient r"
                    + " WHERE r.message_pk = m.pk AND r.state <> 'sent') GROUP BY account_id")) {
          while (rows.next()) {
            add(allSent, rows.getLong(2), rows.getString(1));
          }
        }
        try (ResultSet rows = statement.executeQuery("SELECT type, text, data FROM event")) {
          while (rows.next()) {
            event(rows.getString(1), rows.getString(2), JSON.readTree(rows.getString(3)));
          }
        }
      }
    }

    private void event(String type, String text, JsonNode data) {
      String account = data.path("account_id").asText();
      add(events.computeIfAbsent(type, t -> new TreeMap<>(BY_TEXT)), 1, account);
      boolean attempted = data.has("attempt") && !type.equals("uncertain");
      boolean limit = text != null && text.contains("rate_limit");
      if (limit) {
        add(limited, 1, account);
        add(attempts, 1, account, "__default", "connmaxout");
        return;
      }
      if (!attempted) {
        return;
      }
      boolean accepted = false;
      boolean later = false;
      Set<List<String>> dots = new TreeSet<>(BY_TEXT);
      for (JsonNode told : data.path("recipients")) {
        String kind = told.path("kind").asText();
        accepted |= kind.equals("accepted");
        later |= !kind.equals("accepted") && !kind.equals("permanent");
        if (told.path("code").asInt() >= 400) {
          String digit = told.path("code").asText().substring(0, 1);
          if (told.path("phase").asText().equals("rcpt")) {
            add(replies, 1, "rcpt", digit);
          } else {
            dots.add(List.of("dot", digit)); // one reply for all of them
          }
        }
      }
      dots.forEach(dot -> replies.merge(dot, 1L, Long::sum));
      add(attempts, 1, account, "__default", later ? "deferral" : accepted ? "success" : "failure");
      if (type.equals("deferred")) {
        putOff++;
        putOffFirst += data.path("attempt").asInt() == 1 ? 1 : 0;
      }
    }

    Map<List<String>, Long> events(String type) {
      return events.getOrDefault(type, Map.of());
    }
  }

  // who is outside

  /** One MAIL and what followed it; used by its connection's thread. */
  private static final class Transaction {
    final String account;
    final List<String> accepted = new ArrayList<>();
    boolean later;
    boolean body;
    boolean taken;
    boolean broken;

    Transaction(String account) {
      this.account = account;
    }

    /** The one result of an attempt, as docs/monitoring.md has it. */
    String result() {
      return later || broken ? "deferral" : taken ? "success" : "failure";
    }
  }

  /** A relay that says what a recipient's address asks for, and counts. */
  private static final class Relay implements AutoCloseable {
    final ScriptedSmtpServer server = new ScriptedSmtpServer();
    final Queue<Transaction> transactions = new ConcurrentLinkedQueue<>();
    final Set<String> taken = ConcurrentHashMap.newKeySet();
    final Map<List<String>, Long> replies = new ConcurrentHashMap<>();
    private final Map<Integer, Transaction> open = new ConcurrentHashMap<>();
    private final Map<String, Integer> asked = new ConcurrentHashMap<>();

    Relay() throws Exception {
      server.script = this::at;
    }

    Map<List<String>, Long> by(java.util.function.Function<Transaction, List<String>> key) {
      Map<List<String>, Long> figures = new TreeMap<>(BY_TEXT);
      for (Transaction transaction : transactions) {
        List<String> labels = key.apply(transaction);
        if (labels != null) {
          figures.merge(labels, 1L, Long::sum);
        }
      }
      return figures;
    }

    private String at(ScriptedSmtpServer.Step step) {
      switch (step.verb()) {
        case "MAIL" -> {
          String account = step.line().replaceFirst(".*@(\\w+)\\.test>.*", "$1");
          Transaction begun = new Transaction(account);
          open.put(step.connection(), begun);
          transactions.add(begun);
          return null;
        }
        case "RCPT" -> {
          return recipient(open.get(step.connection()), step.line().replaceFirst(".*<(.*)>.*", "$1"));
        }
        case "." -> {
          return body(open.get(step.connection()));
        }
        default -> {
          return null;
        }
      }
    }

    private String recipient(Transaction transaction, String address) {
      String word = address.substring(0, address.indexOf('-'));
      int times = asked.merge(address, 1, Integer::sum);
      boolean later =
          word.equals("never")
              || (word.startsWith("later") && times <= Integer.parseInt(word.substring(5)));
      if (later) {
        transaction.later = true;
        return said("rcpt", "450 4.2.0 later");
      }
      if (word.equals("refused")) {
        return said("rcpt", "550 5.1.1 nobody");
      }
      transaction.accepted.add(address);
      return null;
    }

    private String body(Transaction transaction) {
      transaction.body = true;
      String first = transaction.accepted.get(0);
      boolean again = asked.merge("." + first, 1, Integer::sum) > 1;
      if (first.startsWith("dotrefused")) {
        return said("dot", "554 5.6.0 not this");
      }
      if (first.startsWith("dotlater") && !again) {
        transaction.later = true;
        return said("dot", "451 4.3.0 later");
      }
      if (first.startsWith("broken") && !again) {
        transaction.broken = true;
        return ScriptedSmtpServer.DROP;
      }
      transaction.taken = true;
      taken.addAll(transaction.accepted);
      return null;
    }

    private String said(String phase, String reply) {
      replies.merge(List.of(phase, reply.substring(0, 1)), 1L, Long::sum);
      return reply;
    }

    @Override
    public void close() throws IOException {
      server.close();
    }
  }

  /** Is told the outcomes, and refuses one call in ten. */
  private static final class Application implements AutoCloseable {
    private static final int REFUSE = 10;
    final AtomicLong taken = new AtomicLong();
    final AtomicLong refused = new AtomicLong();
    private final AtomicLong calls = new AtomicLong();
    private final HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);

    Application() throws IOException {
      server.setExecutor(Executors.newCachedThreadPool(this::daemon));
      server.createContext(
          "/",
          call -> {
            int events = JSON.readTree(call.getRequestBody()).path("delivery_report").size();
            boolean no = events > 0 && calls.incrementAndGet() % REFUSE == 0;
            (no ? refused : taken).addAndGet(events);
            call.sendResponseHeaders(no ? 503 : 200, -1);
            call.close();
          });
      server.start();
    }

    private Thread daemon(Runnable work) {
      Thread thread = new Thread(work, "application");
      thread.setDaemon(true);
      return thread;
    }

    String url() {
      return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }
}
