package io.caravan.mailproxy.endtoend;

import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import java.util.stream.Stream;

/**
 * Kills a proxy under load, again and again on one database, then holds three ledgers against each
 * other: what clients got a 2xx for, what the relay took, what the database says.
 */
public final class KillRounds implements AutoCloseable {
  private static final int CLIENTS = 4;
  private static final int BATCH = 5;
  private static final int MAX_ANSWER_PAUSE_MILLIS = 5;

  private final Path home;
  private final Random random;
  private final Process sink;
  private final Path ledger;
  private final Set<String> accepted = ConcurrentHashMap.newKeySet();
  private final List<Duration> recoveries = new ArrayList<>();
  private ProxyProcess proxy;
  private int rounds;

  /**
   * What the ledgers say.
   *
   * @param accepted messages that got a 2xx
   * @param lost of these, how many the relay never took
   * @param unsettled of these, how many have no outcome in the database
   * @param invented messages that are sent by the database, and the relay never took them
   * @param duplicates further copies that the relay took
   * @param unflagged of these, how many no event {@code uncertain} tells of
   * @param changed messages whose copies have different Message-IDs
   * @param uncertain events of that type
   * @param stopped whether the last proxy ended when it was asked to
   */
  public record Result(
      int rounds,
      int accepted,
      int lost,
      int unsettled,
      int invented,
      int duplicates,
      int unflagged,
      int changed,
      int uncertain,
      boolean stopped,
      List<Duration> recoveries) {

    public boolean holds() {
      return lost + unsettled + invented + unflagged + changed == 0 && stopped;
    }

    public Duration recoveryMedian() {
      return sorted().get(recoveries.size() / 2);
    }

    public Duration recoveryMax() {
      return sorted().get(recoveries.size() - 1);
    }

    private List<Duration> sorted() {
      return recoveries.stream().sorted().toList();
    }
  }

  /** Starts the relay and a first proxy, in an empty folder. */
  public KillRounds(Path folder, Random random) throws IOException {
    this.random = random;
    this.home = Files.createDirectories(folder.resolve("home"));
    this.ledger = folder.resolve("ledger.tsv");
    this.sink =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-cp",
                System.getProperty("java.class.path"),
                SmtpSink.class.getName(),
                ledger.toString(),
                String.valueOf(MAX_ANSWER_PAUSE_MILLIS))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String port =
        new BufferedReader(new InputStreamReader(sink.getInputStream(), StandardCharsets.US_ASCII))
            .readLine();
    proxy = startProxy();
    proxy.post("/tenant", "{\"id\":\"acme\"}");
    proxy.post(
        "/account",
        "{\"id\":\"relay\",\"tenant_id\":\"acme\",\"host\":\"127.0.0.1\",\"port\":"
            + port
            + ",\"max_connections\":20}");
  }

  private ProxyProcess startProxy() throws IOException {
    return ProxyProcess.start(home, "GMP_RETRY_DELAYS", "1");
  }

  /** Posts messages and kills the proxy at some moment before the last one is sent. */
  public void round(int messages) throws IOException {
    rounds++;
    int before = accepted.size();
    int taken = ledgerLines();
    AtomicInteger next = new AtomicInteger();
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    try {
      for (int i = 0; i < CLIENTS; i++) {
        clients.execute(() -> post(next, messages));
      }
      // by answers as often as by mails at the relay, so that both sides are cut
      boolean intake = random.nextBoolean();
      int moment = 1 + random.nextInt(messages - 1);
      IntSupplier reached = intake ? () -> accepted.size() - before : () -> ledgerLines() - taken;
      await("moment of the kill")
          .atMost(Duration.ofMinutes(1))
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(1))
          .until(() -> reached.getAsInt() >= moment);
      proxy.kill();
    } finally {
      clients.shutdown();
    }
    try {
      if (!clients.awaitTermination(30, TimeUnit.SECONDS)) {
        throw new IOException("a client hangs");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    proxy = startProxy();
    recoveries.add(proxy.startTime());
  }

  private void post(AtomicInteger next, int messages) {
    try (KeepAlive connection = proxy.connect()) {
      for (int first = next.getAndAdd(BATCH); first < messages; first = next.getAndAdd(BATCH)) {
        List<String> ids = new ArrayList<>();
        StringBuilder batch = new StringBuilder("{\"messages\":[");
        for (int i = first; i < Math.min(first + BATCH, messages); i++) {
          String id = "r" + rounds + "-" + i;
          batch.append(i == first ? "" : ",").append(message(id));
          ids.add(id);
        }
        KeepAlive.Answer answer =
            connection.post("/commands/add-messages", batch.append("]}").toString());
        if (answer.status() / 100 == 2) {
          accepted.addAll(ids);
        }
      }
    } catch (IOException e) {
      // killed
    }
  }

  private static String message(String id) {
    return String.format(
        "{\"id\":\"%1$s\",\"tenant_id\":\"acme\",\"account_id\":\"relay\",\"from\":\"a@example.test\","
            + "\"to\":[\"b@example.test\"],\"subject\":\"%1$s\",\"body\":\"%1$s\"}",
        id);
  }

  private int ledgerLines() {
    try (Stream<String> lines = Files.lines(ledger, StandardCharsets.UTF_8)) {
      return (int) lines.count();
    } catch (IOException e) {
      return 0; // no mail yet
    }
  }

  /** Lets the last proxy send what is left, stops it, and compares. */
  public Result finish() throws IOException, SQLException {
    proxy.awaitEmpty(Duration.ofMinutes(2));
    boolean stopped = proxy.stop() == 0;

    Map<String, List<String>> taken = new HashMap<>();
    for (String line : Files.readAllLines(ledger, StandardCharsets.UTF_8)) {
      String[] mail = line.split("\t", -1);
      taken.computeIfAbsent(mail[0], id -> new ArrayList<>()).add(mail[1]);
    }
    Set<String> sent = new HashSet<>();
    Map<String, Integer> uncertain = new HashMap<>();
    try (Connection store = TestStore.connect(home);
        Statement statement = store.createStatement();
        ResultSet rows =
            statement.executeQuery(
                """
                SELECT m.id,
                  NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message_pk = m.pk AND r.state <> 'sent') AS sent,
                  (SELECT count(*) FROM event e WHERE e.message_pk = m.pk AND e.type = 'uncertain')
                    uncertain
                FROM message m""")) {
      while (rows.next()) {
        if (rows.getBoolean("sent")) {
          sent.add(rows.getString("id"));
        }
        uncertain.put(rows.getString("id"), rows.getInt("uncertain"));
      }
    }
    int duplicates = 0;
    int unflagged = 0;
    int changed = 0;
    for (Map.Entry<String, List<String>> mail : taken.entrySet()) {
      int copies = mail.getValue().size() - 1;
      duplicates += copies;
      unflagged += Math.max(0, copies - uncertain.getOrDefault(mail.getKey(), 0));
      changed += new HashSet<>(mail.getValue()).size() > 1 ? 1 : 0;
    }
    return new Result(
        rounds,
        accepted.size(),
        without(accepted, taken.keySet()),
        without(accepted, sent),
        without(sent, taken.keySet()),
        duplicates,
        unflagged,
        changed,
        uncertain.values().stream().mapToInt(Integer::intValue).sum(),
        stopped,
        Collections.unmodifiableList(recoveries));
  }

  private static int without(Set<String> all, Set<String> found) {
    return (int) all.stream().filter(id -> !found.contains(id)).count();
  }

  @Override
  public void close() {
    proxy.close();
    sink.destroyForcibly();
  }
}
