import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.caravan.mailproxy.endtoend.KeepAlive;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.ProxyProcess;
import io.caravan.mailproxy.endtoend.SmtpSink;
import io.caravan.mailproxy.endtoend.TestStore;
import java.io.IOException;
import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** bench/run; see bench/README.md. */
public final class Run {
  private static final String USAGE =
      """
      bench/run [--messages 20000] [--warm-up 5000] [--batch 100] [--connections 4] [--accounts 1]
                [--max-connections 50] [--runs 3] [--sink smtp-sink|java|sandbox] [--latency 200]
                [--singles 20000] [--rate 500] [--jvm "OPTIONS"]
                [--against FOLDER] [--against-jvm "OPTIONS"]
                [--telemetry both|off] [--against-telemetry both|off] [--postfix MESSAGES]
                [--limits off|on] [--against-limits off|on]
                [--command-delay MS] [--slots 1000] [--tls off|starttls] [--against-tls off|starttls]
                [--db sqlite|postgresql] [--nodes 1]
                [--backlog 1000000] [--backlog-of later|dead|hung] [--against-backlog 1000]\
      """;

  private static final String TENANT = "bench";
  private static final int BODY_BYTES = 2048;
  private static final int PACED_SECONDS = 20;
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private final Map<String, String> options = new LinkedHashMap<>();
  private final Path folder;

  private Run(String[] args) throws IOException {
    options.put("--messages", "20000");
    options.put("--warm-up", "5000");
    options.put("--batch", "100");
    options.put("--connections", "4");
    options.put("--accounts", "1");
    options.put("--max-connections", "50");
    options.put("--runs", "3");
    options.put("--sink", PostfixSink.installed() ? "smtp-sink" : "java");
    options.put("--latency", "200");
    options.put("--singles", "20000");
    options.put("--rate", "500");
    options.put("--jvm", "-Xmx1g -XX:+UseParallelGC"); // as bin/mail-proxy does
    options.put("--against", "");
    options.put("--against-jvm", "");
    options.put("--telemetry", "both");
    options.put("--against-telemetry", "");
    options.put("--postfix", "0");
    options.put("--limits", "off");
    options.put("--against-limits", "");
    options.put("--command-delay", "0");
    options.put("--slots", "");
    options.put("--tls", "off");
    options.put("--against-tls", "");
    options.put("--db", "sqlite");
    options.put("--nodes", "1");
    options.put("--backlog", "0");
    options.put("--backlog-of", "later");
    options.put("--against-backlog", "");
    for (int i = 0; i < args.length; i += 2) {
      if (i + 1 == args.length || options.replace(args[i], args[i + 1]) == null) {
        throw new IllegalArgumentException(args[i]);
      }
    }
    if (!List.of("smtp-sink", "java", "sandbox").contains(options.get("--sink"))
        || number("--messages") < 1
        || number("--messages") > 1_000_000
        || number("--runs") < 1
        || number("--runs") > 100
        || number("--nodes") < 1
        || number("--nodes") > 16) {
      throw new IllegalArgumentException("a value is out of bounds");
    }
    if (number("--nodes") > 1
        && (!options.get("--db").equals("postgresql") || number("--backlog") > 0)) {
      throw new IllegalArgumentException("several nodes take --db postgresql, and no --backlog");
    }
    System.setProperty("mailproxy.store", options.get("--db"));
    System.setProperty("mailproxy.fsync", "on");
    folder =
        Files.createTempDirectory(Files.createDirectories(Path.of("target/bench")), "run-")
            .toAbsolutePath();
  }

  public static void main(String[] args) throws Exception {
    Run run;
    try {
      run = new Run(args);
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage() + "\n" + USAGE);
      System.exit(2);
      return;
    }
    System.exit(run.all() ? 0 : 1);
  }

  private int number(String option) {
    return Integer.parseInt(options.get(option));
  }

  // runs

  private boolean all() throws Exception {
    System.out.println(options + ", processors " + Runtime.getRuntime().availableProcessors());
    List<Side> sides = new ArrayList<>();
    boolean telemetry = options.get("--telemetry").equals("both");
    sides.add(
        new Side(
            "this",
            Path.of("").toAbsolutePath(),
            options.get("--jvm"),
            telemetry,
            number("--backlog"),
            options.get("--tls").equals("starttls"),
            options.get("--limits").equals("on")));
    if (Stream.of("--against", "--against-jvm", "--against-telemetry", "--against-backlog", "--against-tls", "--against-limits")
        .anyMatch(option -> !options.get(option).isEmpty())) {
      Path other = Path.of(options.get("--against")).toAbsolutePath();
      String jvm = options.get("--against-jvm");
      sides.add(
          new Side(
              "against",
              other,
              jvm.isEmpty() ? options.get("--jvm") : jvm,
              !options.get("--against-telemetry").equals("off"),
              options.get("--against-backlog").isEmpty()
                  ? number("--backlog")
                  : number("--against-backlog"),
              options
                  .get(options.get("--against-tls").isEmpty() ? "--tls" : "--against-tls")
                  .equals("starttls"),
              options
                  .get(options.get("--against-limits").isEmpty() ? "--limits" : "--against-limits")
                  .equals("on")));
    }
    boolean valid = true;
    for (int i = 1; i <= number("--runs"); i++) {
      // interleaved, and each side begins as often as the other
      for (int s = 0; s < sides.size(); s++) {
        Side side = sides.get((s + i) % sides.size());
        Map<String, Double> figures = new LinkedHashMap<>();
        List<String> complaints = new ArrayList<>();
        Path home = folder.resolve(side.name + "-" + i);
        once(side, home, figures, complaints);
        if (number("--postfix") > 0) {
          double peer = postfix();
          figures.put("Postfix, msg/s", peer);
          figures.put("times Postfix", figures.get("end to end, msg/s") / peer);
        }
        side.runs.add(figures);
        System.out.printf("run %d %s %s%n", i, side.name, line(figures));
        for (String complaint : complaints) {
          valid &= complaint.startsWith("note");
          System.out.println("  " + complaint);
        }
        if (valid) {
          Files.deleteIfExists(ProxyProcess.database(home)); // gigabytes
        }
      }
    }
    table(sides);
    System.out.println(valid ? "VALID" : "INVALID");
    return valid;
  }

  /** What the sink shows itself with; the keys are those of the tests. */
  private static SSLContext tls() throws IOException, GeneralSecurityException {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    char[] password = "changeit".toCharArray();
    try (InputStream in = SmtpSink.class.getResourceAsStream("/tls/good.p12")) {
      keys.load(in, password);
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, password);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context;
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = SmtpSink.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  /** Environment variables: names and values in turns. */
  private String[] settings(String... more) {
    List<String> settings = new ArrayList<>(List.of(more));
    settings.addAll(List.of("GMP_LEASE_SECONDS", "60")); // as shipped; tests have a short one
    if (!options.get("--slots").isEmpty()) {
      settings.addAll(List.of("GMP_QUEUE_RAM_CONCURRENCYREMOTE", options.get("--slots")));
    }
    return settings.toArray(String[]::new);
  }

  /** What bench/peer measures, right after a run of the proxy. */
  private double postfix() throws IOException, InterruptedException {
    Process peer =
        new ProcessBuilder("bench/peer", options.get("--postfix"))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said = new String(peer.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (peer.waitFor() != 0) {
      throw new IOException("bench/peer ended with " + peer.exitValue());
    }
    return Double.parseDouble(said);
  }

  /** One side of a comparison: a built checkout. */
  private static final class Side {
    final String name;
    final Path checkout;
    final List<String> jvm;
    final boolean telemetry;
    final int backlog;
    final boolean tls;
    final boolean limits;
    final List<Map<String, Double>> runs = new ArrayList<>();

    Side(String name, Path checkout, String jvm, boolean telemetry, int backlog, boolean tls, boolean limits) {
      this.tls = tls;
      this.limits = limits;
      this.telemetry = telemetry;
      this.backlog = backlog;
      this.name = name;
      this.checkout = checkout;
      this.jvm = new ArrayList<>();
      Path classes = checkout.resolve("target/mail-proxy.jsa");
      if (Files.exists(classes)) {
        this.jvm.add("-XX:SharedArchiveFile=" + classes); // as bin/mail-proxy does
      }
      if (!jvm.isBlank()) {
        this.jvm.addAll(List.of(jvm.strip().split(" +")));
      }
    }

    double median(String figure) {
      double[] all =
          runs.stream().mapToDouble(run -> run.getOrDefault(figure, 0.0)).sorted().toArray();
      return all.length % 2 == 1
          ? all[all.length / 2]
          : (all[all.length / 2 - 1] + all[all.length / 2]) / 2;
    }

    String spread(String figure) {
      double[] all =
          runs.stream().mapToDouble(run -> run.getOrDefault(figure, 0.0)).sorted().toArray();
      return text(all[0]) + ".." + text(all[all.length - 1]);
    }
  }

  private static void table(List<Side> sides) {
    System.out.println();
    for (String figure : sides.get(0).runs.get(0).keySet()) {
      StringBuilder row = new StringBuilder(String.format("| %-32s |", figure));
      for (Side side : sides) {
        row.append(String.format(" %9s | %-19s |", text(side.median(figure)), side.spread(figure)));
      }
      if (sides.size() > 1) {
        double against = sides.get(1).median(figure);
        row.append(
            against == 0 ? "" : String.format(" %.3f |", sides.get(0).median(figure) / against));
      }
      System.out.println(row);
    }
  }

  private static String line(Map<String, Double> figures) {
    StringBuilder line = new StringBuilder();
    figures.forEach(
        (name, value) -> line.append("; ").append(name).append(' ').append(text(value)));
    return line.isEmpty() ? "" : line.substring(2);
  }

  private static String text(double value) {
    return value >= 100 ? String.format("%.0f", value) : String.format("%.2f", value);
  }

  private void once(Side side, Path home, Map<String, Double> figures, List<String> complaints)
      throws Exception {
    Path checkout = side.checkout;
    furnish(home, side);
    Map<String, CountDownLatch> awaited = new ConcurrentHashMap<>();
    Map<String, Long> arrived = new ConcurrentHashMap<>();
    AtomicLong taken = new AtomicLong();
    if (side.backlog > 0) {
      try (ProxyProcess proxy =
          ProxyProcess.start(
              home, checkout.resolve("target/mail-proxy.jar").toString(), side.jvm)) {
        proxy.post("/tenant", "{\"id\":\"" + TENANT + "\"}");
        proxy.post("/account", account("idle", "\"host\":\"127.0.0.1\",\"port\":9"));
        proxy.stop();
      }
      Backlog.fill(home, side.backlog, options.get("--backlog-of").equals("later"));
    }
    try (SmtpSink sink =
            new SmtpSink(
                mail -> {
                  taken.incrementAndGet();
                  arrived.put(mail.clientId(), mail.at());
                  CountDownLatch waiting = awaited.get(mail.clientId());
                  if (waiting != null) {
                    waiting.countDown();
                  }
                },
                new SmtpSink.Manner(number("--command-delay"), tls()));
        PostfixSink postfix =
            options.get("--sink").equals("smtp-sink") ? new PostfixSink(home) : null;
        BackEnds backEnds = new BackEnds();
        Backlog backlog = new Backlog(options.get("--backlog-of"));
        ProxyProcess proxy =
            ProxyProcess.start(
                home,
                checkout.resolve("target/mail-proxy.jar").toString(),
                side.jvm,
                settings(side.telemetry ? backEnds.on() : BackEnds.OFF));
        Nodes nodes = new Nodes(proxy, home)) {
      for (int i = 2; i <= number("--nodes"); i++) {
        Path further = home.resolve("node-" + i);
        furnish(further, side);
        TestStore.shareAt(TestStore.path(home), further);
        nodes.all.add(
            ProxyProcess.start(
                further,
                checkout.resolve("target/mail-proxy.jar").toString(),
                side.jvm,
                settings(side.telemetry ? backEnds.on() : BackEnds.OFF)));
      }
      if (side.telemetry) {
        for (ProxyProcess node : nodes.all) {
          backEnds.scrape(node.port());
        }
      }
      equip(proxy, sink.port(), postfix == null ? sink.port() : postfix.port, side);
      proxy.post("/account", account("idle", "\"host\":\"127.0.0.1\",\"port\":" + backlog.port()));

      if (nodes.all.size() > 1) {
        Thread.sleep(2000); // by then all nodes know the accounts
      }
      int warmUp = number("--warm-up") * nodes.all.size();
      load(nodes, "w", warmUp, number("--batch"), number("--connections"), 0);
      nodes.awaitPending(side.backlog);

      // throughput
      int messages = number("--messages");
      long cpu = nodes.cpuMicros();
      long compiled = nodes.compilerMicros();
      double[] commits = nodes.commits();
      long database = TestStore.cpuMicros();
      long written = proxy.writtenBytes();
      long begun = System.nanoTime();
      Times intake =
          load(nodes, "m", messages, number("--batch"), number("--connections"), 0);
      nodes.awaitPending(side.backlog);
      double seconds = (System.nanoTime() - begun) / 1e9;
      figures.put("end to end, msg/s", messages / seconds);
      figures.put("intake, msg/s", messages / intake.seconds);
      figures.put("intake p50 a request, ms", intake.percentile(50));
      figures.put("intake p99 a request, ms", intake.percentile(99));
      figures.put("proxy CPU, us/msg", (double) (nodes.cpuMicros() - cpu) / messages);
      figures.put("of it compilation", (double) (nodes.compilerMicros() - compiled) / messages);
      if (TestStore.isShared(home)) {
        figures.put("database CPU, us/msg", (double) (TestStore.cpuMicros() - database) / messages);
      }
      if (side.telemetry) {
        double[] more = nodes.commits();
        figures.put("commits/msg", (more[0] - commits[0]) / messages);
        figures.put("works/commit", (more[1] - commits[1]) / (more[0] - commits[0]));
      }
      figures.put("written, bytes/msg", (double) (proxy.writtenBytes() - written) / messages);

      // an idle proxy
      double[] latencies = latency(proxy, awaited, arrived);
      if (latencies.length > 0) {
        figures.put("POST to SMTP p50, ms", percentile(latencies, 50));
        figures.put("POST to SMTP p99, ms", percentile(latencies, 99));
      }
      int singles = number("--singles");
      if (singles > 0) {
        long first = System.nanoTime();
        Times single = load(nodes, "s", singles, 1, 10, 0);
        nodes.awaitPending(side.backlog);
        figures.put("10 connections x 1, msg/s", singles / ((System.nanoTime() - first) / 1e9));
        figures.put("10 connections x 1: intake/s", singles / single.seconds);
        figures.put("10 connections x 1: p50, ms", single.percentile(50));
        figures.put("10 connections x 1: p99, ms", single.percentile(99));
      }
      int paced = number("--rate") * PACED_SECONDS;
      if (paced > 0) {
        long used = nodes.cpuMicros();
        long asked = TestStore.cpuMicros();
        Times kept = load(nodes, "r", paced, 1, 10, number("--rate"));
        nodes.awaitPending(side.backlog);
        figures.put("at --rate: proxy CPU, us/msg", (double) (nodes.cpuMicros() - used) / paced);
        if (TestStore.isShared(home)) {
          figures.put(
              "at --rate: database CPU, us/msg", (double) (TestStore.cpuMicros() - asked) / paced);
        }
        figures.put("at --rate: intake/s", paced / kept.seconds);
        figures.put("at --rate: p50, ms", kept.percentile(50));
        figures.put("at --rate: p99, ms", kept.percentile(99));
      }
      nodes.awaitPending(side.backlog);
      figures.put("start to ready, ms", (double) proxy.startTime().toMillis());
      figures.put("peak RSS, MB", proxy.peakMemoryKib() / 1024.0);
      long stop = System.nanoTime();
      for (ProxyProcess node : nodes.all) {
        if (node.stop() < 0) {
          complaints.add("did not stop within 60 s");
        }
      }
      figures.put("stop, ms", (System.nanoTime() - stop) / 1e6);

      int loaded = warmUp + messages + singles + paced;
      int own = latencies.length;
      check(home, nodes, loaded + own, side.backlog, complaints);
      switch (options.get("--sink")) {
        case "smtp-sink" -> {
          same("mails at smtp-sink", loaded, postfix.messages(), complaints);
          same("mails at the own sink", own, taken.get(), complaints);
        }
        case "java" -> same("mails at the own sink", loaded + own, taken.get(), complaints);
        default -> {
          same("mails at the own sink", own, taken.get(), complaints);
          try (Stream<Path> files = Files.list(home.resolve("data/sandbox"))) {
            long kept = files.filter(file -> file.toString().endsWith(".eml")).count();
            same("mails in the sandbox", loaded, kept, complaints);
          }
        }
      }
    }
  }

  /** A home with the side's routes and settings. */
  private static void furnish(Path home, Side side) throws IOException {
    Files.createDirectories(home.resolve("routes.d"));
    Files.createSymbolicLink(home.resolve("config"), side.checkout.resolve("config"));
    if (side.telemetry) {
      Files.createSymbolicLink(home.resolve("routes"), side.checkout.resolve("routes"));
    } else {
      BackEnds.routesThatDoNotCount(side.checkout.resolve("routes"), home.resolve("routes"));
    }
  }

  /** The proxies of a run; the first one is closed by who started it. */
  private static final class Nodes implements AutoCloseable {
    final List<ProxyProcess> all = new ArrayList<>();
    private final Path home;

    Nodes(ProxyProcess first, Path home) {
      all.add(first);
      this.home = home;
    }

    long cpuMicros() throws IOException {
      long micros = 0;
      for (ProxyProcess node : all) {
        micros += node.cpuMicros();
      }
      return micros;
    }

    /** CPU time of the compilers' threads that are there. */
    long compilerMicros() throws IOException {
      long micros = 0;
      for (ProxyProcess node : all) {
        try (Stream<Path> threads = Files.list(Path.of("/proc/" + node.pid() + "/task"))) {
          for (Path thread : threads.toList()) {
            if (Files.readString(thread.resolve("comm")).contains("CompilerThre")) {
              String nanos = Files.readString(thread.resolve("schedstat")).split(" ")[0];
              micros += Long.parseLong(nanos) / 1000;
            }
          }
        }
      }
      return micros;
    }

    /** Group commits so far, and pieces of work in them. */
    double[] commits() throws IOException {
      double[] sums = new double[2];
      for (ProxyProcess node : all) {
        Metrics metrics = Metrics.of(node);
        sums[0] += metrics.sum("mailproxy_commit_works_count");
        sums[1] += metrics.sum("mailproxy_commit_works_sum");
      }
      return sums;
    }

    /** One node knows what is pending at every moment; of several each counts from time to time, so the database is asked. */
    void awaitPending(int pending) throws IOException, SQLException, InterruptedException {
      if (all.size() == 1) {
        all.get(0).awaitPending(pending, PATIENCE);
        return;
      }
      long end = System.nanoTime() + PATIENCE.toNanos();
      try (Connection store = TestStore.connect(home)) {
        while (count(store, "(SELECT 1 FROM queue LIMIT 1) q") > 0) {
          if (System.nanoTime() > end) {
            throw new IOException("messages are pending still");
          }
          Thread.sleep(10);
        }
      }
    }

    @Override
    public void close() {
      all.forEach(ProxyProcess::close);
    }
  }

  /** Mail of an account that nobody takes: due tomorrow, or a relay that is dead or hangs. */
  private static final class Backlog implements AutoCloseable {
    private static final String FILL =
        """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %1$d)
        INSERT INTO\s""";

    private final ServerSocket socket;

    Backlog(String kind) throws IOException {
      socket = new ServerSocket(0, 1_000, InetAddress.getLoopbackAddress());
      if (!kind.equals("hung")) {
        socket.close();
      }
    }

    int port() {
      return socket.getLocalPort();
    }

    /** Puts so many rows where the proxy would have put them. */
    static void fill(Path home, int rows, boolean later) throws SQLException {
      // as queue.Ids makes them, an hour ago
      long key = (System.currentTimeMillis() - 1_735_689_600_000L - 3_600_000) << 12;
      String due = later ? "4102444800000" : "1";
      try (Connection store =
          TestStore.connect(home)) {
        store.setAutoCommit(false);
        for (String into :
            List.of(
                "message (pk, tenant_id, id, account_id, priority, created_at, payload)"
                    + " SELECT (%2$d + i) * 1024, '" + TENANT + "', 'backlog-' || i, 'idle', 2, 1,"
                    + " '{\"id\":\"backlog-' || i || '\",\"tenant_id\":\"" + TENANT
                    + "\",\"account_id\":\"idle\",\"from\":\"a@example.test\",\"to\":[\"b@example.test\"],"
                    + "\"subject\":\"s\",\"content_type\":\"plain\",\"priority\":2,\"body\":\"' || '" + BODY
                    + "' || '\"}' FROM n",
                "recipient (message_pk, position, delivery_pk, address, state, changed_at)"
                    + " SELECT (%2$d + i) * 1024, 0, (%2$d + i) * 1024, 'b@example.test', 'pending', 1 FROM n",
                "queue (pk, message_pk, account_pk, state, priority, due_at, lease_epoch, accepted_at, bytes)"
                    + " SELECT (%2$d + i) * 1024, (%2$d + i) * 1024, 1, 'due', 2, " + due
                    + ", 1, unixepoch() * 1000, 2300 FROM n")) {
          try (var statement = store.createStatement()) {
            statement.executeUpdate((FILL + into).formatted(rows, key));
          }
        }
        store.commit();
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  /** What takes the telemetry of a run: a StatsD server that reads, and a scrape every 15 s. */
  private static final class BackEnds implements AutoCloseable {
    /** Neither back end, no meters that ride along. */
    static final String[] OFF = {
      "GMP_TELEMETRY_CAMEL_METERS", "false", "GMP_TELEMETRY_JVM_METERS", "false"
    };

    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final int SCRAPE_MILLIS = 15_000;
    private final DatagramSocket statsd = new DatagramSocket(0, InetAddress.getLoopbackAddress());
    private final Thread reader = new Thread(this::read, "statsd");
    private volatile boolean closed;

    BackEnds() throws IOException {
      reader.setDaemon(true);
      reader.start();
    }

    String[] on() {
      return new String[] {
        "GMP_STATSD_HOST", "127.0.0.1", "GMP_STATSD_PORT", String.valueOf(statsd.getLocalPort())
      };
    }

    void scrape(int port) {
      Thread scraper =
          new Thread(
              () -> {
                while (!closed) {
                  try {
                    HttpURLConnection request =
                        (HttpURLConnection)
                            URI.create("http://127.0.0.1:" + port + "/metrics")
                                .toURL()
                                .openConnection();
                    request.setRequestProperty("Accept", "application/openmetrics-text");
                    request.getInputStream().readAllBytes();
                    Thread.sleep(SCRAPE_MILLIS);
                  } catch (IOException | InterruptedException e) {
                    return; // the proxy has ended
                  }
                }
              },
              "scraper");
      scraper.setDaemon(true);
      scraper.start();
    }

    private void read() {
      DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
      while (!closed) {
        try {
          statsd.receive(packet);
        } catch (IOException e) {
          return;
        }
      }
    }

    /** The routes without their micrometer: steps. */
    static void routesThatDoNotCount(Path from, Path to) throws IOException {
      Files.createDirectories(to);
      try (Stream<Path> files = Files.list(from)) {
        for (Path file : files.toList()) {
          JsonNode tree = YAML.readTree(file.toFile());
          withoutCounting(tree);
          YAML.writeValue(to.resolve(file.getFileName()).toFile(), tree);
        }
      }
    }

    private static void withoutCounting(JsonNode node) {
      if (node instanceof ArrayNode list) {
        for (int i = list.size() - 1; i >= 0; i--) {
          if (list.get(i).path("to").path("uri").asText().startsWith("micrometer:")
              || list.get(i).path("bean").path("ref").asText().equals("attemptCounts")) {
            list.remove(i);
          }
        }
      }
      node.forEach(BackEnds::withoutCounting);
    }

    @Override
    public void close() {
      closed = true;
      statsd.close();
    }
  }

  private void equip(ProxyProcess proxy, int ownPort, int loadPort, Side side)
      throws IOException {
    proxy.post("/tenant", "{\"id\":\"" + TENANT + "\"}");
    String more =
        side.tls
            ? ",\"use_tls\":true,\"user\":\"u\",\"password\":\"p\",\"tls_ca\":"
                + MAPPER.writeValueAsString(resource("/tls/ca.pem"))
            : "";
    if (side.limits) {
      // every limit there is, none of them met
      more +=
          ",\"limit_per_second\":1000,\"limit_per_minute\":1000000"
              + ",\"limit_per_hour\":10000000,\"limit_per_day\":100000000";
    }
    for (int i = 0; i < number("--accounts"); i++) {
      proxy.post(
          "/account",
          options.get("--sink").equals("sandbox")
              ? account("load-" + i, "\"type\":\"sandbox\"")
              : account("load-" + i, "\"host\":\"127.0.0.1\",\"port\":" + loadPort + more));
      proxy.post("/account", account("own-" + i, "\"host\":\"127.0.0.1\",\"port\":" + ownPort));
    }
  }

  private String account(String id, String more) {
    return "{\"id\":\"%s\",\"tenant_id\":\"%s\",\"max_connections\":%d,%s}"
        .formatted(id, TENANT, number("--max-connections"), more);
  }

  /** The database's count of what is sent, and the log's. */
  private static void check(
      Path home, Nodes nodes, int expected, int backlog, List<String> complaints)
      throws IOException, SQLException {
    try (Connection store =
        TestStore.connect(home)) {
      same(
          "messages sent by the database",
          expected,
          count(store, "event WHERE type = 'sent'"),
          complaints);
      same("recipients sent", expected, count(store, "recipient WHERE state = 'sent'"), complaints);
      same("messages", expected + backlog, count(store, "message"), complaints);
      same("deliveries left", backlog, count(store, "queue"), complaints);
      same("further events", 0, count(store, "event WHERE type NOT IN ('sent', 'deferred')"), complaints);
    }
    int lines = 0;
    for (ProxyProcess node : nodes.all) {
      try (Stream<String> log = Files.lines(node.log(), StandardCharsets.UTF_8)) {
        for (String line : (Iterable<String>) log::iterator) {
          if (line.contains(" INFO Message ") && line.contains(" sent via ")) {
            lines++;
          } else if (line.contains(" ERROR ") || line.contains(" WARNING ")) {
            complaints.add("note: log: " + line);
          }
        }
      }
    }
    if (lines != expected) {
      complaints.add("note: " + lines + " of " + expected + " lines in the log");
    }
  }

  private static long count(Connection store, String rows) throws SQLException {
    try (ResultSet row = store.createStatement().executeQuery("SELECT count(*) FROM " + rows)) {
      row.next();
      return row.getLong(1);
    }
  }

  private static void same(String what, long expected, long found, List<String> complaints) {
    if (found != expected) {
      complaints.add(what + ": " + found + ", expected " + expected);
    }
  }

  // clients

  /** How long requests took. */
  private record Times(double seconds, double[] millis) {
    double percentile(int p) {
      return Run.percentile(millis, p);
    }
  }

  /**
   * Posts messages in batches over some connections; each must be queued. With a rate each request has its moment, and its
   * time counts from there, also when no connection was free then; with none (0) each follows the last.
   */
  private Times load(
      Nodes nodes, String prefix, int messages, int batch, int connections, int rate)
      throws Exception {
    int requests = (messages + batch - 1) / batch;
    double[] millis = new double[requests];
    AtomicInteger next = new AtomicInteger();
    ExecutorService clients = Executors.newCachedThreadPool();
    long begun = System.nanoTime();
    try {
      List<Callable<Void>> tasks = new ArrayList<>();
      for (int c = 0; c < Math.max(connections, nodes.all.size()); c++) {
        ProxyProcess proxy = nodes.all.get(c % nodes.all.size());
        tasks.add(
            () -> {
              try (KeepAlive connection = proxy.connect()) {
                for (int r = next.getAndIncrement(); r < requests; r = next.getAndIncrement()) {
                  int first = r * batch;
                  int size = Math.min(batch, messages - first);
                  String json = messages(prefix, first, size, "load-");
                  long posted = System.nanoTime();
                  if (rate > 0) {
                    posted = begun + r * 1_000_000_000L / rate;
                    for (long left = 1; left > 0; left = posted - System.nanoTime()) {
                      LockSupport.parkNanos(left);
                    }
                  }
                  KeepAlive.Answer answer = connection.post("/commands/add-messages", json);
                  while (nodes.all.size() > 1 && answer.status() == 503) {
                    Thread.sleep(1000); // a start of many nodes keeps two processors busy
                    answer = connection.post("/commands/add-messages", json);
                  }
                  millis[r] = (System.nanoTime() - posted) / 1e6;
                  if (answer.status() != 200
                      || !answer.body().replace(" ", "").contains("\"queued\":" + size)) {
                    throw new IOException(answer.toString());
                  }
                }
                return null;
              }
            });
      }
      for (Future<Void> client : clients.invokeAll(tasks, PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        client.get();
      }
    } finally {
      clients.shutdownNow();
    }
    return new Times((System.nanoTime() - begun) / 1e9, millis);
  }

  /** From the POST of a single message to its final dot, one after the other. */
  private double[] latency(
      ProxyProcess proxy, Map<String, CountDownLatch> awaited, Map<String, Long> arrived)
      throws Exception {
    double[] millis = new double[number("--latency")];
    try (KeepAlive connection = proxy.connect()) {
      for (int i = 0; i < millis.length; i++) {
        CountDownLatch latch = new CountDownLatch(1);
        awaited.put("l-" + i, latch);
        String json = messages("l", i, 1, "own-");
        long posted = System.nanoTime();
        KeepAlive.Answer answer = connection.post("/commands/add-messages", json);
        if (answer.status() != 200 || !latch.await(30, TimeUnit.SECONDS)) {
          throw new IOException("message l-" + i + " did not arrive: " + answer);
        }
        millis[i] = (arrived.get("l-" + i) - posted) / 1e6;
      }
    }
    return millis;
  }

  private static final String BODY =
      ("A line of a mail as people send it, with 64 characters in it.\\r\\n")
          .repeat(BODY_BYTES / 63);

  private String messages(String prefix, int first, int size, String account) {
    StringBuilder json = new StringBuilder(size * (BODY_BYTES + 300)).append("{\"messages\":[");
    for (int i = first; i < first + size; i++) {
      json.append(i == first ? "" : ",")
          .append("{\"id\":\"")
          .append(prefix)
          .append('-')
          .append(i)
          .append("\",\"tenant_id\":\"")
          .append(TENANT)
          .append("\",\"account_id\":\"")
          .append(account)
          .append(i % number("--accounts"))
          .append("\",\"from\":\"sender@example.test\",\"to\":[\"reader")
          .append(i)
          .append("@example.test\"],\"subject\":\"Message ")
          .append(i)
          .append("\",\"body\":\"")
          .append(BODY)
          .append("\"}");
    }
    return json.append("]}").toString();
  }

  private static double percentile(double[] values, int p) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[Math.min(sorted.length - 1, sorted.length * p / 100)];
  }

  /** Postfix's smtp-sink, counting. */
  private static final class PostfixSink implements AutoCloseable {
    private static final Path PROGRAM = Path.of("/usr/sbin/smtp-sink");
    private static final Pattern COUNT = Pattern.compile("mesg=(\\d+)");

    final int port;
    private final Process process;
    private final Path counters;

    PostfixSink(Path home) throws IOException, InterruptedException {
      try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        port = free.getLocalPort();
      }
      counters = home.resolve("smtp-sink.out");
      List<String> command = new ArrayList<>(List.of(PROGRAM.toString(), "-c", "-m", "5000"));
      if (System.getProperty("user.name").equals("root")) {
        command.addAll(List.of("-u", "nobody"));
      }
      command.addAll(List.of("127.0.0.1:" + port, "1000"));
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(counters.toFile())
              .start();
      for (int i = 0; i < 100; i++) {
        try (Socket up = new Socket(InetAddress.getLoopbackAddress(), port)) {
          return;
        } catch (IOException e) {
          Thread.sleep(20);
        }
      }
      process.destroyForcibly();
      throw new IOException("smtp-sink does not answer: " + Files.readString(counters));
    }

    static boolean installed() {
      return Files.isExecutable(PROGRAM);
    }

    long messages() throws IOException {
      Matcher counts = COUNT.matcher(Files.readString(counters));
      long last = 0;
      while (counts.find()) {
        last = Long.parseLong(counts.group(1));
      }
      return last;
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }
  }
}
