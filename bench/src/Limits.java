import io.caravan.mailproxy.endtoend.ProxyProcess;
import io.caravan.mailproxy.endtoend.SmtpSink;
import io.caravan.mailproxy.endtoend.TestStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A limit of an account that several nodes send through, by the real clock; see bench/README.md. */
public final class Limits {
  private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(60);

  public static void main(String[] args) throws Exception {
    int nodes = 2;
    int limit = 10;
    int minutes = 10;
    for (int i = 0; i + 1 < args.length; i += 2) {
      int value = args[i + 1].matches("\\d{1,4}") ? Integer.parseInt(args[i + 1]) : 0;
      switch (args[i]) {
        case "--nodes" -> nodes = value;
        case "--limit" -> limit = value;
        case "--minutes" -> minutes = value;
        default -> usage();
      }
    }
    if (args.length % 2 != 0 || nodes < 1 || nodes > 8 || limit < 1 || minutes < 2 || minutes > 60) {
      usage();
    }
    Path folder = Files.createDirectories(Path.of("target/bench"));
    folder = Files.createTempDirectory(folder, "limits-").toAbsolutePath();
    Path[] homes = new Path[nodes];
    for (int i = 0; i < nodes; i++) {
      homes[i] = Files.createDirectories(folder.resolve("node-" + (i + 1)));
    }
    TestStore.share(homes);
    List<Long> mails = Collections.synchronizedList(new ArrayList<>());
    List<ProxyProcess> proxies = new ArrayList<>();
    try (SmtpSink relay = new SmtpSink(mail -> mails.add(mail.at()))) {
      for (Path home : homes) {
        proxies.add(ProxyProcess.start(home, "GMP_LEASE_SECONDS", "30"));
      }
      proxies.get(0).post("/tenant", "{\"id\":\"acme\"}");
      proxies
          .get(0)
          .post(
              "/account",
              "{\"id\":\"relay\",\"tenant_id\":\"acme\",\"host\":\"127.0.0.1\",\"port\":%d,\"limit_per_minute\":%d}"
                  .formatted(relay.port(), limit));
      Thread.sleep(2_000); // until all nodes know the account
      int each = limit * (minutes + 2) / nodes + limit;
      for (int node = 0; node < nodes; node++) {
        for (int from = 0; from < each; from += 500) {
          proxies.get(node).post("/commands/add-messages", batch(node, from, Math.min(each, from + 500)));
        }
      }
      for (int minute = 1; minute <= minutes; minute++) {
        Thread.sleep(60_000);
        System.err.printf("minute %d of %d: %d mails%n", minute, minutes, mails.size());
      }
    } finally {
      proxies.forEach(ProxyProcess::close);
    }
    List<Long> at = mails.stream().sorted().collect(Collectors.toList());
    int most = 0;
    for (int first = 0, next = 0; first < at.size(); first++) {
      while (next < at.size() && at.get(next) - at.get(first) < WINDOW_NANOS) {
        next++;
      }
      most = Math.max(most, next - first);
    }
    boolean holds = most <= limit && at.size() >= limit * (minutes - 1);
    System.out.printf("| nodes | limit a minute | minutes | mails | most in any 60 s |%n|---|---|---|---|---|%n");
    System.out.printf("| %d | %d | %d | %d | %d |%n", nodes, limit, minutes, at.size(), most);
    System.out.println(holds ? "HOLDS" : "VIOLATED");
    System.exit(holds ? 0 : 1);
  }

  private static String batch(int node, int from, int to) {
    return IntStream.range(from, to)
        .mapToObj(
            i ->
                "{\"id\":\"n%d-%d\",\"tenant_id\":\"acme\",\"account_id\":\"relay\",\"from\":\"a@b.test\",\"to\":[\"b@b.test\"],\"subject\":\"s\",\"body\":\"b\"}"
                    .formatted(node, i))
        .collect(Collectors.joining(",", "{\"messages\":[", "]}"));
  }

  private static void usage() {
    System.err.println("bench/limits [--nodes 1..8] [--limit 10] [--minutes 2..60]");
    System.exit(2);
  }
}
