import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.ProxyProcess;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** bench/check-telemetry; see bench/README.md. */
public final class CheckTelemetry {
  private static final Duration ALL = Duration.ofMinutes(8);
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final int SKIPPED = 77;

  private static final String TEXT = "text/plain; version=0.0.4";
  private static final String OPENMETRICS = "application/openmetrics-text; version=1.0.0";
  private static final String PREFIX = "check.proxy";

  /** The second seed: emitted with label queue omitted as well, the sum of the queues. */
  private static final String ALSO_WITHOUT_QUEUE = "remote_throttle_unacknowledged_requests_count";

  /** What promtool says of names that are as documented (docs/monitoring.md, Traps). */
  private static final String NO_TOTAL = "counter metrics should have \"_total\" suffix";

  private static final String WITH_TOTAL = "non-counter metrics should not have \"_total\" suffix";
  private static final String WITH_COUNT =
      "non-histogram and non-summary metrics should not have \"_count\" suffix";
  private static final Map<String, List<String>> ALLOWED =
      Map.of(
          NO_TOTAL,
          List.of(
              "remote_attempts_connmaxout",
              "remote_attempts_deferral",
              "remote_attempts_dump",
              "remote_attempts_failure",
              "remote_attempts_success",
              "remote_attempts_started",
              "remote_attempts_connmaxout_maxconn",
              "remote_attempts_connmaxout_msgperhour",
              "remote_attempts_connmaxout_maxunacknowledged",
              "remote_attempts_connmaxout_proxy_local",
              "remote_attempts_connmaxout_proxy_remote"),
          WITH_TOTAL,
          List.of(
              "remote_dslots_ram_total", "remote_dslots_bounce_total", "remote_dslots_disk_total"),
          WITH_COUNT,
          List.of(
              "remote_throttle_unacknowledged_requests_count",
              "event_delivery_queue_first_attempt_count",
              "event_delivery_queue_retry_count"));

  /** And of the meters of Camel and Java, whose names are not ours. */
  private static final Set<String> STOCK =
      Set.of(
          "app_info no help text",
          "process_cpu_time_ns_total metric names should not contain abbreviated units",
          "system_cpu_count " + WITH_COUNT);

  private static final Pattern CAMEL =
      Pattern.compile("camel_\\w+ label names should be written in 'snake_case' not 'camelCase'");

  /** The scrape job that the alert rules are for, and the account whose dashboard is asked. */
  private static final String JOB = "mail-proxy";

  private static final String ACCOUNT = "ipaddr-1";

  /** Expressions that may be without data in the run of this check, each with its reason. */
  private static final Map<String, String> MAY_BE_EMPTY = Map.of();

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<Process> STARTED = new CopyOnWriteArrayList<>();

  private final Path prometheus;
  private final Path statsd;
  private final Path folder;
  private final Path checkout = Path.of("").toAbsolutePath();
  private final String settings = Files.readString(Path.of("config/application.properties"));
  private final List<Family> catalogue = new ArrayList<>();
  private final HttpClient http =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

  private int checks;
  private boolean held = true;
  private boolean skipped;

  /** Port of the listener for Prometheus alone; 0: there is none. */
  private int listen;

  /** A row of metrics.tsv. */
  private record Family(
      String name, String type, List<String> labels, String statsd, boolean milliseconds) {}

  private CheckTelemetry(String prometheus, String statsd) throws IOException {
    this.prometheus = prometheus.isEmpty() ? null : Path.of(prometheus);
    this.statsd = statsd.isEmpty() ? null : Path.of(statsd);
    folder =
        Files.createTempDirectory(Files.createDirectories(Path.of("target/bench")), "telemetry-")
            .toAbsolutePath();
    for (String line :
        Files.readAllLines(Path.of("src/main/resources/telemetry/metrics.tsv")).stream()
            .skip(1)
            .toList()) {
      String[] column = line.split("\t", -1);
      List<String> labels = new ArrayList<>();
      for (String label : column[2].isEmpty() ? new String[0] : column[2].split(",", -1)) {
        labels.add(label.split(":", -1)[0]);
      }
      catalogue.add(
          new Family(column[0], column[1], labels, column[3], column[3].endsWith("_milliseconds")));
    }
  }

  public static void main(String[] args) throws Exception {
    if (args.length != 2) {
      System.err.println("bench/check-telemetry takes no arguments");
      System.exit(2);
    }
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> STARTED.forEach(Process::destroyForcibly)));
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
    CheckTelemetry check = new CheckTelemetry(args[0], args[1]);
    try {
      check.all();
    } catch (Exception e) {
      check.that("the run comes to its end", false, e.toString());
    }
    System.out.printf(
        "%s  %d checks%s%n",
        check.held ? "HOLDS" : "VIOLATED", check.checks, check.skipped ? ", some SKIPPED" : "");
    System.exit(!check.held ? 1 : check.skipped ? SKIPPED : 0);
  }

  private boolean that(String what, boolean holds, Object remark) {
    checks++;
    held &= holds;
    System.out.println((holds ? "ok     " : "FAILS  ") + what + (holds ? "" : ": " + remark));
    return holds;
  }

  private void skip(String what, String why) {
    skipped = true;
    System.out.println("SKIPS  " + what + ": " + why);
  }

  private void all() throws Exception {
    System.out.println("files in " + checkout.relativize(folder));
    if (prometheus == null) {
      skip("promtool and Prometheus", "not installed, and Debian's package cannot be had here");
    } else {
      rules();
    }
    boolean tellsStatsd = has("statsd.host");
    Statsd server = statsd == null ? null : new Statsd();
    if (server == null) {
      skip("StatsD", "no node with npm here, or its package cannot be had");
    } else {
      server.control();
      if (!tellsStatsd) {
        skip("StatsD against the proxy", "config/application.properties has no statsd.host");
      }
    }
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        Endpoint endpoint = new Endpoint();
        ProxyProcess proxy = start(endpoint, server == null ? 0 : server.port)) {
      mail(proxy, relay);
      Text text = text(proxy, TEXT);
      that(
          "text is what is asked for as text",
          text.type.startsWith("text/plain; version=0.0.4"),
          text.type);
      Text open = text(proxy, OPENMETRICS);
      that(
          "OpenMetrics is what is asked for as OpenMetrics",
          open.type.startsWith("application/openmetrics-text; version=1.0.0"),
          open.type);
      that("OpenMetrics ends with its mark", open.body.endsWith("\n# EOF\n"), "no # EOF");
      that(
          "both forms have the same series",
          text.samples.keySet().equals(open.samples.keySet()),
          difference(text.samples.keySet(), open.samples.keySet()));
      that(
          "both forms have the same types",
          text.types.equals(open.suffixed().types),
          difference(text.types.entrySet(), open.suffixed().types.entrySet()));
      documented(text);
      if (prometheus != null) {
        lint("text", text, text.body);
        lint("OpenMetrics", text, open.asText());
        scrape(proxy);
      }
      if (server != null && tellsStatsd) {
        server.compare(proxy);
      }
      that("the proxy stops on SIGTERM", proxy.stop() >= 0, "not within 60 s");
    }
  }

  private boolean has(String setting) {
    return settings.lines().anyMatch(line -> line.startsWith(setting + "="));
  }

  // the proxy and its mail

  private ProxyProcess start(Endpoint endpoint, int statsdPort) throws IOException {
    Path home = Files.createDirectories(folder.resolve("proxy"));
    Files.createDirectories(home.resolve("routes.d"));
    Files.createSymbolicLink(home.resolve("config"), checkout.resolve("config"));
    Files.createSymbolicLink(home.resolve("routes"), checkout.resolve("routes"));
    List<String> environment =
        new ArrayList<>(
            List.of(
                "GMP_CLIENT_SYNC_URL", endpoint.url(),
                "GMP_RETRY_DELAYS", "3600",
                "GMP_TELEMETRY_COUNT_SECONDS", "2",
                "GMP_DRAIN_SECONDS", "2"));
    if (has("prometheus_listen")) {
      listen = freePort();
      environment.addAll(List.of("GMP_PROMETHEUS_LISTEN", "127.0.0.1:" + listen));
    } else {
      skip("the listener of its own", "config/application.properties has no prometheus_listen");
    }
    if (has("probe.interval-seconds")) {
      environment.addAll(
          List.of(
              "GMP_EXPORT_METRIC",
              "simplemh_http_queue_latency_seconds,delivery_probe_latency_seconds",
              "GMP_PROBE_INTERVAL_SECONDS",
              "1"));
    } else {
      skip("probes", "config/application.properties has no probe.interval-seconds");
    }
    if (has("statsd.host") && statsdPort != 0) {
      environment.addAll(
          List.of(
              "GMP_STATSD_HOST",
              "127.0.0.1",
              "GMP_STATSD_PORT",
              String.valueOf(statsdPort),
              "GMP_STATSD_PREFIX",
              PREFIX,
              "GMP_STATSD_INTERVAL_SECONDS",
              "1"));
    }
    return ProxyProcess.start(
        home,
        checkout.resolve("target/mail-proxy.jar").toString(),
        List.of("-Xmx512m"),
        environment.toArray(String[]::new));
  }

  /** Mail with every kind of outcome, and accounts whose StatsD keys are the same. */
  private void mail(ProxyProcess proxy, ScriptedSmtpServer relay) throws Exception {
    proxy.post("/tenant", "{\"id\":\"acme\"}");
    for (String id : List.of("primary-smtp", "bulk-smtp", "a-b", "a.b", "quote\\\"back\\\\slash")) {
      proxy.post("/account", account(id, "\"type\":\"sandbox\""));
    }
    proxy.post(
        "/account",
        account(
            ACCOUNT,
            "\"host\":\"127.0.0.1\",\"port\":%d,\"limit_per_minute\":5000,\"limit_per_day\":100000"
                .formatted(relay.port())));
    load(proxy, "");
    Map<String, Double> wanted = new LinkedHashMap<>();
    wanted.put("gmp_sent_total{account_id=\"ipaddr-1\"}", 32.0);
    wanted.put("gmp_errors_total{account_id=\"ipaddr-1\"}", 4.0);
    wanted.put("gmp_deferred_total{account_id=\"ipaddr-1\"}", 4.0);
    wanted.put("gmp_sent_total{account_id=\"a-b\"}", 15.0);
    wanted.put("gmp_pending_messages{}", 4.0);
    wanted.put("event_delivery_delivered_total{destination=\"sync\"}", 100.0);
    wanted.put("mailproxy_rate_allowed{account_id=\"ipaddr-1\",window=\"day\"}", 100000.0);
    Map<String, Double> seen = new LinkedHashMap<>();
    boolean there =
        eventually(
            () -> {
              Map<String, Double> samples = text(proxy, TEXT).samples;
              wanted.keySet().forEach(key -> seen.put(key, samples.getOrDefault(key, Double.NaN)));
              return seen.equals(wanted);
            });
    that("100 messages have their outcomes, and each outcome is reported", there, seen);
  }

  /** 100 messages: 60 for sandboxes; of 40 for a relay it refuses 4 and puts 4 off. */
  private static void load(ProxyProcess proxy, String prefix) throws IOException {
    List<String> items = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      String account = List.of("primary-smtp", "bulk-smtp", "a-b", "a.b").get(i % 4);
      items.add(item(prefix + "s" + i, account, "x"));
    }
    for (int i = 0; i < 40; i++) {
      String to = i % 10 == 0 ? "550" : i % 10 == 1 ? "450" : "fine" + i;
      items.add(item(prefix + "r" + i, ACCOUNT, to));
    }
    proxy.post("/commands/add-messages", "{\"messages\":[" + String.join(",", items) + "]}");
  }

  private static String account(String id, String more) {
    return "{\"id\":\"%s\",\"tenant_id\":\"acme\",%s}".formatted(id, more);
  }

  private static String item(String id, String account, String to) {
    return ("{\"id\":\"%s\",\"tenant_id\":\"acme\",\"account_id\":\"%s\",\"from\":\"a@example.test\","
                + "\"to\":[\"%s@example.test\"],\"subject\":\"s\",\"body\":\"b\"}")
        .formatted(id, account, to);
  }

  /** Takes every delivery report. */
  private static final class Endpoint implements AutoCloseable {
    private final HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);

    Endpoint() throws IOException {
      server.createContext(
          "/",
          call -> {
            call.getRequestBody().readAllBytes();
            call.sendResponseHeaders(200, -1);
            call.close();
          });
      server.start();
    }

    String url() {
      return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }

  // what the proxy tells

  private static final Pattern TYPE = Pattern.compile("# TYPE (\\S+) (\\S+)");
  private static final Pattern SAMPLE =
      Pattern.compile(
          "([a-zA-Z_:][\\w:]*)(?:\\{((?:[^\"}]|\"(?:[^\"\\\\]|\\\\.)*\")*)})? (\\S+)( # \\{.*)?");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

  /** An exposition. */
  private static final class Text {
    final String type;
    final String body;
    final Map<String, String> types = new TreeMap<>();
    final Map<String, Double> samples = new TreeMap<>();
    final Map<String, Map<String, String>> labels = new TreeMap<>();
    final List<String> unknown = new ArrayList<>();
    int exemplars;

    Text(String type, String body) {
      this.type = type;
      this.body = body;
      for (String line : body.lines().toList()) {
        Matcher head = TYPE.matcher(line);
        Matcher sample = SAMPLE.matcher(line);
        if (head.matches()) {
          types.put(head.group(1), head.group(2));
        } else if (!line.startsWith("#") && sample.matches()) {
          Map<String, String> found = new TreeMap<>();
          Matcher label = LABEL.matcher(sample.group(2) == null ? "" : sample.group(2));
          while (label.find()) {
            found.put(label.group(1), unescaped(label.group(2)));
          }
          String key = key(sample.group(1), found);
          samples.put(key, number(sample.group(3)));
          labels.put(key, found);
          exemplars += sample.group(4) == null ? 0 : 1;
        } else if (!line.startsWith("#")) {
          unknown.add(line);
        }
      }
    }

    /** OpenMetrics names a counter without its suffix; this has it with. */
    Text suffixed() {
      Text all = new Text(type, body);
      all.types.clear();
      types.forEach(
          (name, of) ->
              all.types.put(of.equals("counter") && !has(name) ? name + "_total" : name, of));
      return all;
    }

    private boolean has(String name) {
      return samples.keySet().stream().anyMatch(key -> key.startsWith(name + "{"));
    }

    /** OpenMetrics in words that a reader of text understands: no exemplars, heads with suffix. */
    String asText() {
      StringBuilder out = new StringBuilder();
      for (String line : body.lines().toList()) {
        if (line.equals("# EOF")) {
          continue;
        }
        if (line.startsWith("# ")) {
          String[] word = line.split(" ", 4);
          boolean suffix = "counter".equals(types.get(word[2])) && !has(word[2]);
          // a counter without any series cannot tell what its name was
          boolean silent =
              samples.keySet().stream().noneMatch(key -> key.startsWith(word[2] + "_total{"));
          out.append("# ").append(word[1]).append(' ').append(word[2]);
          out.append(suffix && !silent ? "_total " : " ");
          out.append(word[3].replace("\\\"", "\"")).append('\n');
        } else {
          out.append(line.replaceFirst(" # \\{.*", "")).append('\n');
        }
      }
      return out.toString();
    }

    static String key(String name, Map<String, String> labels) {
      return name
          + labels.entrySet().stream()
              .map(label -> label.getKey() + "=\"" + label.getValue() + "\"")
              .collect(Collectors.joining(",", "{", "}"));
    }

    private static String unescaped(String value) {
      StringBuilder out = new StringBuilder();
      for (int i = 0; i < value.length(); i++) {
        char c = value.charAt(i);
        if (c == '\\') {
          char escaped = value.charAt(++i);
          out.append(escaped == 'n' ? '\n' : escaped);
        } else {
          out.append(c);
        }
      }
      return out.toString();
    }
  }

  private static double number(String text) {
    return switch (text) {
      case "+Inf" -> Double.POSITIVE_INFINITY;
      case "-Inf" -> Double.NEGATIVE_INFINITY;
      default -> Double.parseDouble(text);
    };
  }

  private Text text(ProxyProcess proxy, String accept) throws IOException, InterruptedException {
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + proxy.port() + "/metrics"))
                .timeout(Duration.ofSeconds(20))
                .header("Accept", accept)
                .build(),
            HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException("/metrics answers " + answer.statusCode());
    }
    return new Text(answer.headers().firstValue("Content-Type").orElse(""), answer.body());
  }

  /** The families that are there have the documented types and labels. */
  private void documented(Text text) {
    that("every line is a sample or a comment", text.unknown.isEmpty(), text.unknown);
    List<String> wrong = new ArrayList<>();
    int exposed = 0;
    for (Family family : catalogue) {
      String type = text.types.get(family.name);
      if (type == null) {
        continue;
      }
      exposed++;
      if (!type.equals(family.type)) {
        wrong.add(family.name + " is a " + type);
      }
      Set<String> expected = new TreeSet<>(family.labels);
      text.labels.forEach(
          (key, labels) -> {
            if (parts(family).contains(key.substring(0, key.indexOf('{')))) {
              Set<String> names = new TreeSet<>(labels.keySet());
              names.remove("le");
              boolean sum = family.name.equals(ALSO_WITHOUT_QUEUE) && names.equals(Set.of("proxy"));
              if (!names.equals(expected) && !sum) {
                wrong.add(key);
              }
            }
          });
    }
    that(
        exposed + " of " + catalogue.size() + " documented families are there, as documented",
        exposed > 0 && wrong.isEmpty(),
        wrong);
    List<String> empty = new ArrayList<>();
    for (Family family : catalogue) {
      boolean some =
          text.samples.keySet().stream()
              .anyMatch(key -> parts(family).contains(key.substring(0, key.indexOf('{'))));
      if (text.types.containsKey(family.name) && !some) {
        empty.add(family.name);
      }
    }
    that("each of them has series", empty.isEmpty(), empty);
    that("text has no exemplars", text.exemplars == 0, text.exemplars);
  }

  /** Names of a family's samples. */
  private static List<String> parts(Family family) {
    return family.type.equals("histogram")
        ? List.of(family.name + "_bucket", family.name + "_count", family.name + "_sum")
        : List.of(family.name);
  }

  // promtool

  private void rules() throws Exception {
    for (String file : List.of("alerts.yml", "alerts-probes.yml")) {
      Ran ran = promtool("", "check", "rules", "docker/prometheus/" + file);
      that("promtool check rules " + file, ran.code == 0, ran.output);
    }
    for (String file : List.of("prometheus.yml", "prometheus-nodes.yml")) {
      Ran config = promtool("", "check", "config", "docker/prometheus/" + file);
      that("promtool check config " + file, config.code == 0, config.output);
    }
    Ran ran = promtool("", "test", "rules", "docker/prometheus/alerts.test.yml");
    that("promtool test rules alerts.test.yml", ran.code == 0, ran.output);
    kubernetes();
  }

  /**
   * Debian's promtool is built without the discovery of Kubernetes. What it would find is given
   * instead; the rest of the file is checked as it is.
   */
  private void kubernetes() throws Exception {
    String discovery = "    kubernetes_sd_configs:\n      - role: pod\n";
    String example = Files.readString(Path.of("docker/prometheus/prometheus-kubernetes.yml"));
    StringBuilder found = new StringBuilder("    static_configs:\n");
    List<List<String>> pods =
        List.of(
            List.of("proxy-0", "mail-proxy", "api", "10.0.0.1:8000"),
            List.of("proxy-0", "mail-proxy", "other", "10.0.0.1:9000"),
            List.of("shop-0", "shop", "api", "10.0.0.2:8000"));
    for (List<String> pod : pods) {
      found.append(
          """
                - targets: [ "%4$s" ]
                  labels: { __meta_kubernetes_pod_name: %1$s, __meta_kubernetes_pod_label_app: %2$s,
                            __meta_kubernetes_pod_container_port_name: %3$s }
          """
              .formatted(pod.toArray()));
    }
    Path file =
        Files.writeString(
            folder.resolve("kubernetes.yml"),
            example
                .replace(discovery, found)
                .replace("- alerts.yml", "- " + checkout.resolve("docker/prometheus/alerts.yml")));
    Ran config = promtool("", "check", "config", file.toString());
    that(
        "promtool check config prometheus-kubernetes.yml",
        example.contains(discovery) && config.code == 0,
        config.output);
    Ran ran = promtool("", "check", "service-discovery", "--timeout=2s", file.toString(), JOB);
    Map<String, String> kept = new TreeMap<>();
    for (JsonNode target : JSON.readTree(ran.output.substring(ran.output.indexOf('[')))) {
      JsonNode labels = target.path("labels");
      if (!labels.isEmpty()) {
        kept.put(labels.path("instance").asText(), labels.path("pod").asText());
      }
    }
    that(
        "in Kubernetes it keeps the port api of pods with app=mail-proxy",
        kept.equals(Map.of("10.0.0.1:8000", "proxy-0")),
        kept);
  }

  /** promtool complains of exactly those documented names that break Prometheus' habits. */
  private void lint(String form, Text exposed, String text) throws Exception {
    Set<String> expected = new TreeSet<>();
    ALLOWED.forEach(
        (complaint, names) ->
            names.stream()
                .filter(exposed.types::containsKey)
                .forEach(name -> expected.add(name + " " + complaint)));
    Ran ran = promtool(text, "check", "metrics");
    Set<String> said = new TreeSet<>(ran.output.lines().filter(line -> !line.isBlank()).toList());
    said.removeIf(line -> STOCK.contains(line) || CAMEL.matcher(line).matches());
    that(
        "promtool check metrics, "
            + form
            + ": the "
            + expected.size()
            + " known complaints about documented families, no other",
        ran.code == (expected.isEmpty() ? 0 : 3) && said.equals(expected),
        "exit code " + ran.code + "; " + difference(expected, said));
  }

  private record Ran(int code, String output) {}

  private Ran promtool(String input, String... arguments) throws Exception {
    Path in = Files.writeString(folder.resolve("promtool.in"), input);
    Path out = folder.resolve("promtool.out");
    List<String> command = new ArrayList<>(List.of(prometheus.resolve("promtool").toString()));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .start();
    STARTED.add(process);
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      return new Ran(-1, "not done within 60 s");
    }
    return new Ran(process.exitValue(), Files.readString(out));
  }

  // Prometheus

  /** One server, several jobs: as it asks by itself, and through a relay that asks for text. */
  private void scrape(ProxyProcess proxy) throws Exception {
    List<String> asked = new CopyOnWriteArrayList<>();
    HttpServer relay =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    relay.setExecutor(Executors.newFixedThreadPool(2, CheckTelemetry::daemon));
    relay.createContext(
        "/metrics",
        call -> {
          asked.add(String.valueOf(call.getRequestHeaders().getFirst("Accept")));
          try {
            Text text = text(proxy, TEXT);
            byte[] body = text.body.getBytes(StandardCharsets.UTF_8);
            call.getResponseHeaders().set("Content-Type", text.type);
            call.sendResponseHeaders(200, body.length);
            call.getResponseBody().write(body);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          } finally {
            call.close();
          }
        });
    relay.start();
    Map<String, Integer> jobs = new LinkedHashMap<>();
    jobs.put(JOB, proxy.port()); // as it asks by itself
    jobs.put("text", relay.getAddress().getPort());
    if (listen != 0) {
      jobs.put("listener", listen);
    }
    int port = freePort();
    StringBuilder configuration =
        new StringBuilder(
            """
            global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 2s}
            rule_files: [%1$s/alerts.yml, %1$s/alerts-probes.yml]
            scrape_configs:
            """
                .formatted(checkout.resolve("docker/prometheus")));
    jobs.forEach(
        (job, target) ->
            configuration.append(
                "- {job_name: %s, static_configs: [{targets: ['127.0.0.1:%d']}]}\n"
                    .formatted(job, target)));
    Path file = Files.writeString(folder.resolve("prometheus.yml"), configuration);
    Process server =
        started(
            "prometheus",
            prometheus.resolve("prometheus").toString(),
            "--config.file=" + file,
            "--storage.tsdb.path=" + folder.resolve("tsdb"),
            "--web.listen-address=127.0.0.1:" + port,
            "--enable-feature=exemplar-storage",
            "--log.level=warn");
    try {
      for (String job : jobs.keySet()) {
        boolean up =
            eventually(
                () ->
                    server.isAlive() && stored(port, "up{job=\"" + job + "\"}").containsValue(1.0));
        if (that(
            "Prometheus scrapes: " + job,
            up,
            server.isAlive() ? lastError(port, job) : Files.readString(log("prometheus")))) {
          compare(proxy, port, job);
        }
      }
      exemplars(port, jobs.keySet());
      loops(port);
      expressions(proxy, port);
      that(
          "Prometheus prefers OpenMetrics by itself",
          !asked.isEmpty() && asked.get(0).startsWith("application/openmetrics-text"),
          asked);
    } finally {
      relay.stop(0);
      end(server);
    }
  }

  /** Everything is stored, typed and of the value that /metrics tells. */
  private void compare(ProxyProcess proxy, int port, String job) throws Exception {
    List<String> wrong = new ArrayList<>();
    Text[] last = new Text[1];
    boolean equal =
        eventually(
            () -> {
              wrong.clear();
              Text before = text(proxy, TEXT);
              Thread.sleep(2500); // two scrapes
              Map<String, Double> found = stored(port, "{job=\"" + job + "\"}");
              Text after = text(proxy, TEXT);
              last[0] = after;
              for (Family family : catalogue) {
                for (String key : before.samples.keySet()) {
                  if (parts(family).contains(key.substring(0, key.indexOf('{')))
                      && !within(
                          found.get(key), before.samples.get(key), after.samples.get(key), 1e-9)) {
                    wrong.add(
                        "%s is %s, not %s to %s"
                            .formatted(
                                key,
                                found.get(key),
                                before.samples.get(key),
                                after.samples.get(key)));
                  }
                }
              }
              Set<String> names = new TreeSet<>();
              before.samples.keySet().forEach(key -> names.add(key.substring(0, key.indexOf('{'))));
              found.keySet().forEach(key -> names.remove(key.substring(0, key.indexOf('{'))));
              if (!names.isEmpty()) {
                wrong.add("not stored: " + names);
              }
              return wrong.isEmpty();
            });
    long families =
        catalogue.stream().filter(family -> last[0].types.containsKey(family.name)).count();
    long series =
        last[0].samples.keySet().stream()
            .filter(
                key ->
                    catalogue.stream()
                        .anyMatch(f -> parts(f).contains(key.substring(0, key.indexOf('{')))))
            .count();
    that(
        "%s: %d documented families in %d series are stored with the values of /metrics"
            .formatted(job, families, series),
        equal,
        wrong);
    Map<String, String> types = new TreeMap<>();
    for (JsonNode row :
        api(port, "targets/metadata?match_target=" + encoded("{job=\"" + job + "\"}"))) {
      types.put(row.path("metric").asText(), row.path("type").asText());
    }
    List<String> untyped = new ArrayList<>();
    for (Family family : catalogue) {
      String name = family.name;
      if (last[0].types.containsKey(name)
          && !family.type.equals(types.get(name))
          && !family.type.equals(types.get(name.replaceFirst("_total$", "")))) {
        untyped.add(name + " " + types.get(name));
      }
    }
    that(job + ": Prometheus knows their types", untyped.isEmpty(), untyped);
  }

  private void loops(int port) throws Exception {
    Map<String, Double> loops =
        stored(
            port,
            "rate(camel_exchanges_total{job=\"mail-proxy\",routeId=~\"claim-due|find-reports\"}[10s])");
    that(
        "the loops that the alert rules watch make rounds",
        loops.size() == 2 && loops.values().stream().allMatch(rate -> rate > 0),
        loops);
  }

  // what rules, dashboards and the page ask for

  /** Every expression is understood and has data, from a proxy under load. */
  private void expressions(ProxyProcess proxy, int port) throws Exception {
    Map<String, String> asked = new LinkedHashMap<>();
    panels(asked);
    page(asked);
    List<String> ill = new ArrayList<>();
    boolean evaluated =
        eventually(
            () -> {
              ill.clear();
              for (JsonNode group : api(port, "rules").path("groups")) {
                for (JsonNode rule : group.path("rules")) {
                  String name = "alert " + rule.path("name").asText();
                  asked.put(name, unconditional(rule.path("query").asText()));
                  if (!rule.path("health").asText().equals("ok")) {
                    ill.add(name + " is " + rule.path("health") + " " + rule.path("lastError"));
                  }
                }
              }
              return ill.isEmpty();
            });
    that("Prometheus evaluates the alert rules", evaluated, ill);

    load(proxy, "again-"); // so that everything counts on while Prometheus looks
    Map<String, String> bad = new LinkedHashMap<>(asked);
    eventually(
        () -> {
          for (String where : List.copyOf(bad.keySet())) {
            String fault = fault(port, asked.get(where));
            boolean may = MAY_BE_EMPTY.containsKey(where) && NO_DATA.equals(fault);
            if (fault == null || may) {
              bad.remove(where);
            } else {
              bad.put(where, fault + ": " + asked.get(where));
            }
          }
          return bad.isEmpty();
        });
    that(
        asked.size() + " expressions of rules, dashboards and page have data", bad.isEmpty(), bad);
  }

  private static final String NO_DATA = "no data";

  /** What is wrong with an expression; {@code null}: nothing. A value that is no number is none. */
  private String fault(int port, String expression) throws Exception {
    JsonNode answer = answer(port, "query?query=" + encoded(expression));
    if (!answer.path("status").asText().equals("success")) {
      return answer.path("error").asText();
    }
    for (JsonNode row : answer.path("data").path("result")) {
      if (!row.path("value").path(1).asText("NaN").equals("NaN")) {
        return null;
      }
    }
    return NO_DATA;
  }

  /** A rule that does not fire has no series: its comparisons tell 0 or 1 instead. */
  private static String unconditional(String rule) {
    return rule.replaceAll("\\s(==|!=|>=|<=|>|<)\\s", " $1 bool ").replace("absent(", "(");
  }

  /** What the dashboards ask: panels, and the choices of variables. */
  private static void panels(Map<String, String> asked) throws IOException {
    for (String name : List.of("operations", "account")) {
      JsonNode board =
          JSON.readTree(Files.readString(Path.of("docker/grafana/dashboards", name + ".json")));
      for (JsonNode variable : board.path("templating").path("list")) {
        Matcher values =
            Pattern.compile("label_values\\((.+), (\\w+)\\)")
                .matcher(variable.path("definition").asText());
        if (values.matches()) {
          String of = chosen(values.group(1)).replaceAll("\\{.*", "");
          String chosen = values.group(2).equals("job") ? JOB : ACCOUNT;
          String expression = "%s{job=\"%s\",%s=\"%s\"}".formatted(of, JOB, values.group(2), chosen);
          asked.put(name + ", variable " + variable.path("name").asText(), expression);
        }
      }
      for (JsonNode panel : board.path("panels")) {
        for (JsonNode target : panel.path("targets")) {
          String where =
              "%s, panel %s %s"
                  .formatted(name, panel.path("title").asText(), target.path("refId").asText());
          String before = asked.put(where, chosen(target.path("expr").asText()));
          if (before != null) {
            throw new IOException("two panels are the same: " + where);
          }
        }
      }
    }
  }

  private static String chosen(String expression) {
    return expression
        .replace("$__rate_interval", "1m")
        .replace("$job", JOB)
        .replace("$account", ACCOUNT);
  }

  /** The queries of docs/monitoring.md. */
  private static void page(Map<String, String> asked) throws IOException {
    String page = Files.readString(Path.of("docs/monitoring.md"));
    String section = page.substring(page.indexOf("## Questions and answers"));
    Matcher row =
        Pattern.compile("^\\| ([^|`]+) \\| `([^`]+)` \\|$", Pattern.MULTILINE)
            .matcher(section.substring(0, section.indexOf("\n## ")));
    while (row.find()) {
      asked.put("page, " + row.group(1), row.group(2));
    }
  }

  private void exemplars(int port, Set<String> jobs) throws Exception {
    long now = System.currentTimeMillis() / 1000;
    for (String job : jobs) {
      JsonNode found =
          api(
              port,
              "query_exemplars?query=%s&start=%d&end=%d"
                  .formatted(encoded("{job=\"" + job + "\"}"), now - 600, now + 5));
      Set<String> names = new TreeSet<>();
      int ids = 0;
      for (JsonNode series : found) {
        names.add(series.path("seriesLabels").path("__name__").asText());
        for (JsonNode exemplar : series.path("exemplars")) {
          ids += exemplar.path("labels").has("message_id") ? 1 : 0;
        }
      }
      if (job.equals("text")) {
        that("text: no exemplars are stored", names.isEmpty(), names);
      } else {
        that(
            job + ": exemplars with message_id are stored, of _total and _bucket only",
            ids > 0 && names.stream().allMatch(n -> n.endsWith("_total") || n.endsWith("_bucket")),
            ids + " of " + names);
      }
    }
  }

  private Map<String, Double> stored(int port, String query) throws Exception {
    Map<String, Double> values = new TreeMap<>();
    for (JsonNode row : api(port, "query?query=" + encoded(query)).path("result")) {
      Map<String, String> labels = new TreeMap<>();
      row.path("metric")
          .properties()
          .forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
      String name = labels.remove("__name__");
      labels.remove("job");
      labels.remove("instance");
      values.put(Text.key(name, labels), number(row.path("value").path(1).asText()));
    }
    return values;
  }

  private String lastError(int port, String job) throws Exception {
    StringBuilder error = new StringBuilder("up is not 1");
    for (JsonNode target : api(port, "targets").path("activeTargets")) {
      if (target.path("labels").path("job").asText().equals(job)) {
        error.append("; ").append(target.path("lastError").asText());
      }
    }
    return error.toString();
  }

  private JsonNode api(int port, String path) throws Exception {
    return answer(port, path).path("data");
  }

  private JsonNode answer(int port, String path) throws Exception {
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/api/v1/" + path))
                .timeout(Duration.ofSeconds(20))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    return JSON.readTree(answer.body());
  }

  // StatsD

  /** Etsy's server with a back end that writes each flush to a file. */
  private final class Statsd {
    private static final String BACK_END =
        """
        const fs = require('fs');
        let longest = 0;
        exports.init = (start, config, events) => {
          events.on('packet', packet => { longest = Math.max(longest, packet.length); });
          events.on('flush', (time, m) => fs.appendFileSync(config.flushes, JSON.stringify({
            longest, counters: m.counters, gauges: m.gauges, timers: m.timers,
            timer_counters: m.timer_counters}) + '\\n'));
          return true;
        };
        """;

    final int port;
    private final int console = freePort();
    private final Path flushes = folder.resolve("statsd.flushes");
    private final Process process;

    Statsd() throws Exception {
      try (DatagramSocket free = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
        port = free.getLocalPort();
      }
      Path backEnd = Files.writeString(folder.resolve("statsd-backend.js"), BACK_END);
      Path configuration =
          Files.writeString(
              folder.resolve("statsd-config.js"),
              """
              {address: "127.0.0.1", port: %d, mgmt_address: "127.0.0.1", mgmt_port: %d,
               flushInterval: 500, deleteCounters: true, deleteTimers: true,
               backends: [%s], flushes: %s}
              """
                  .formatted(
                      port,
                      console,
                      JSON.writeValueAsString(backEnd.toString()),
                      JSON.writeValueAsString(flushes.toString())));
      process =
          started(
              "statsd", "node", statsd.resolve("stats.js").toString(), configuration.toString());
      that(
          "statsd is up",
          eventually(() -> ask("health").contains("health: up") && Files.exists(flushes)),
          "see " + log("statsd"));
    }

    /** A command to its console. */
    private String ask(String command) throws IOException {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), console)) {
        socket.setSoTimeout(2000);
        socket.getOutputStream().write((command + "\n").getBytes(StandardCharsets.US_ASCII));
        StringBuilder answer = new StringBuilder();
        byte[] part = new byte[8192];
        for (int n = socket.getInputStream().read(part);
            n > 0;
            n = socket.getInputStream().read(part)) {
          answer.append(new String(part, 0, n, StandardCharsets.US_ASCII));
          if (answer.indexOf("END\n") >= 0 || answer.indexOf("health: ") >= 0) {
            break;
          }
        }
        return answer.toString();
      } catch (IOException e) {
        return "";
      }
    }

    /** Lines of our own, to know that what is compared later is compared rightly. */
    void control() throws Exception {
      String golden = "remote_delivery_attempts_active.outmta_ipaddr_1.throttle_example_com";
      String[] packets = {
        "control.a.b:2|c\ncontrol." + golden + ":9|g\ncontrol.ms:12.5|ms|@0.5",
        "control.a.b:3|c\ncontrol." + golden + ":7|g\ncontrol.ms:7.5|ms|@0.5"
      };
      try (DatagramSocket socket = new DatagramSocket()) {
        for (String packet : packets) {
          byte[] bytes = packet.getBytes(StandardCharsets.US_ASCII);
          socket.send(
              new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
        }
      }
      Sums[] sums = new Sums[1];
      that(
          "statsd sums up lines of ours as expected",
          eventually(
              () -> {
                sums[0] = sums("control.");
                return sums[0].counters.equals(Map.of("a.b", 5.0))
                    && sums[0].gauges.equals(Map.of(golden, 7.0))
                    && sums[0].timings.equals(Map.of("ms", 4.0))
                    && sums[0].millis.equals(Map.of("ms", 20.0));
              }),
          sums[0]);
      that("its console knows the gauge", ask("gauges").contains(golden), ask("gauges"));
    }

    /** What arrived: counters summed up, gauges as told last, timers' counts and sums. */
    private record Sums(
        Map<String, Double> counters,
        Map<String, Double> gauges,
        Map<String, Double> timings,
        Map<String, Double> millis,
        double bad,
        int longest) {}

    private Sums sums(String prefix) throws IOException {
      Map<String, Double> counters = new TreeMap<>();
      Map<String, Double> gauges = new TreeMap<>();
      Map<String, Double> timings = new TreeMap<>();
      Map<String, Double> millis = new TreeMap<>();
      double bad = 0;
      int longest = 0;
      for (String line : Files.readAllLines(flushes)) {
        if (!line.endsWith("}")) {
          continue; // being written
        }
        JsonNode flush = JSON.readTree(line);
        add(flush.path("counters"), prefix, counters);
        add(flush.path("timer_counters"), prefix, timings);
        gauges.clear();
        add(flush.path("gauges"), prefix, gauges);
        flush
            .path("timers")
            .properties()
            .forEach(
                timer -> {
                  if (timer.getKey().startsWith(prefix)) {
                    timer
                        .getValue()
                        .forEach(
                            value ->
                                millis.merge(
                                    timer.getKey().substring(prefix.length()),
                                    value.asDouble(),
                                    Double::sum));
                  }
                });
        bad += flush.path("counters").path("statsd.bad_lines_seen").asDouble();
        longest = Math.max(longest, flush.path("longest").asInt());
      }
      return new Sums(counters, gauges, timings, millis, bad, longest);
    }

    private static void add(JsonNode values, String prefix, Map<String, Double> into) {
      values
          .properties()
          .forEach(
              value -> {
                if (value.getKey().startsWith(prefix)) {
                  into.merge(
                      value.getKey().substring(prefix.length()),
                      value.getValue().asDouble(),
                      Double::sum);
                }
              });
    }

    /** The same data as /metrics, under the documented keys. */
    void compare(ProxyProcess proxy) throws Exception {
      Sums[] seen = new Sums[1];
      List<String> wrong = new ArrayList<>();
      int[] compared = new int[1];
      boolean equal =
          eventually(
              () -> {
                wrong.clear();
                Expected before = new Expected(text(proxy, TEXT));
                Thread.sleep(3500); // three intervals of the proxy, and a flush
                seen[0] = sums(PREFIX + ".");
                Expected after = new Expected(text(proxy, TEXT));
                between("counter", before.counters, seen[0].counters, after.counters, 0, wrong);
                between("gauge", before.gauges, seen[0].gauges, after.gauges, 1e-6, wrong);
                between("timer", before.timings, seen[0].timings, after.timings, 0.02, wrong);
                before.millis.forEach(
                    (key, from) -> {
                      // as whole milliseconds at worst, and a choice of them when there are many
                      double slack = after.timings.get(key) + 0.05 * after.millis.get(key);
                      double sum = seen[0].millis.getOrDefault(key, 0.0);
                      boolean all = after.timings.get(key) <= 100;
                      if (all && (sum < from - slack || sum > after.millis.get(key) + slack)) {
                        wrong.add("sum of timer " + key + " is " + sum + ", not " + from + " ms");
                      }
                    });
                Set<String> keys = new TreeSet<>(seen[0].counters.keySet());
                keys.addAll(seen[0].gauges.keySet());
                keys.addAll(seen[0].timings.keySet());
                keys.removeAll(after.counters.keySet());
                keys.removeAll(after.gauges.keySet());
                keys.removeAll(after.timings.keySet());
                if (!keys.isEmpty()) {
                  wrong.add("not documented: " + keys);
                }
                compared[0] = after.counters.size() + after.gauges.size() + after.timings.size();
                return wrong.isEmpty();
              });
      that("StatsD: " + compared[0] + " keys carry the values of /metrics", equal, wrong);
      that(
          "StatsD: no line was refused",
          seen[0].bad == 0,
          (long) seen[0].bad + " bad lines, see " + log("statsd"));
      that("StatsD: packets stay under 1,400 bytes", seen[0].longest <= 1400, seen[0].longest);
      end(process);
    }

    private static void between(
        String what,
        Map<String, Double> before,
        Map<String, Double> found,
        Map<String, Double> after,
        double slack,
        List<String> wrong) {
      before.forEach(
          (key, from) -> {
            double to = after.getOrDefault(key, from);
            Double value = found.get(key);
            boolean silent = value == null && from == 0 && !what.equals("gauge");
            if (!silent && !within(value, from, to, slack)) {
              wrong.add("%s %s is %s, not %s to %s".formatted(what, key, value, from, to));
            }
          });
    }
  }

  /** StatsD's keys and values, made from an exposition by the documented rules. */
  private final class Expected {
    final Map<String, Double> counters = new TreeMap<>();
    final Map<String, Double> gauges = new TreeMap<>();
    final Map<String, Double> timings = new TreeMap<>();
    final Map<String, Double> millis = new TreeMap<>();

    Expected(Text text) {
      for (Family family : catalogue) {
        text.samples.forEach(
            (sample, value) -> {
              String name = sample.substring(0, sample.indexOf('{'));
              StringBuilder key = new StringBuilder(family.statsd);
              for (String label : family.labels) {
                String of = text.labels.get(sample).getOrDefault(label, "");
                if (!of.isEmpty()) {
                  key.append('.').append(label).append('_');
                  key.append(of.replaceAll("[^a-zA-Z0-9]", "_"));
                }
              }
              double factor = family.milliseconds ? 1000 : 1;
              if (family.type.equals("histogram")) {
                if (name.equals(family.name + "_count")) {
                  timings.merge(key.toString(), value, Double::sum);
                } else if (name.equals(family.name + "_sum")) {
                  millis.merge(key.toString(), value * 1000, Double::sum);
                }
              } else if (name.equals(family.name)) {
                (family.type.equals("counter") ? counters : gauges)
                    .merge(key.toString(), value * factor, Double::sum);
              }
            });
      }
    }
  }

  // small things

  private interface Condition {
    boolean holds() throws Exception;
  }

  private static boolean eventually(Condition condition) throws Exception {
    long end = System.nanoTime() + SOON.toNanos();
    do {
      try {
        if (condition.holds()) {
          return true;
        }
      } catch (IOException e) {
        // not there yet
      }
      Thread.sleep(200);
    } while (System.nanoTime() < end);
    return false;
  }

  private static boolean within(Double value, Double from, Double to, double slack) {
    if (value == null || from == null || to == null) {
      return false;
    }
    double room = slack * Math.max(Math.abs(from), Math.abs(to));
    return (value.isNaN() && from.isNaN())
        || (value >= Math.min(from, to) - room && value <= Math.max(from, to) + room);
  }

  private static String difference(Set<?> expected, Set<?> found) {
    Set<Object> missing = new LinkedHashSet<>(expected);
    missing.removeAll(found);
    Set<Object> more = new LinkedHashSet<>(found);
    more.removeAll(expected);
    return "missing " + missing + ", too many " + more;
  }

  private Path log(String program) {
    return folder.resolve(program + ".log");
  }

  private Process started(String name, String... command) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(log(name).toFile())
            .start();
    STARTED.add(process);
    return process;
  }

  private static void end(Process process) throws InterruptedException {
    process.destroy();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    return thread;
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
