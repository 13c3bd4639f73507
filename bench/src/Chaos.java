import io.caravan.mailproxy.endtoend.FaultRounds;
import io.caravan.mailproxy.endtoend.FaultRounds.Fault;
import io.caravan.mailproxy.endtoend.Ledgers;
import io.caravan.mailproxy.endtoend.TestStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;

/** Faults of proxies under load; see bench/README.md. */
public final class Chaos {
  public static void main(String[] args) throws Exception {
    int rounds = 20;
    int messages = 200;
    int nodes = 1;
    String db = "sqlite";
    String mode = "kill";
    long seed = System.nanoTime();
    for (int i = 0; i + 1 < args.length; i += 2) {
      switch (args[i]) {
        case "--rounds" -> rounds = Integer.parseInt(args[i + 1]);
        case "--messages" -> messages = Integer.parseInt(args[i + 1]);
        case "--nodes" -> nodes = Integer.parseInt(args[i + 1]);
        case "--db" -> db = args[i + 1];
        case "--mode" -> mode = args[i + 1];
        case "--seed" -> seed = Long.parseLong(args[i + 1]);
        default -> usage();
      }
    }
    boolean shared = !db.equals("sqlite");
    if (args.length % 2 != 0
        || rounds < 1
        || rounds > 1000
        || messages < 2
        || messages > 100_000
        || nodes < 1
        || nodes > 8
        || nodes > 1 && !shared
        || shared && !db.startsWith("postgresql")
        || !mode.matches("kill|pause|drain|cut|all")
        || mode.equals("cut") && nodes == 1) {
      usage();
    }
    Path folder = Files.createDirectories(Path.of("target/bench"));
    folder = Files.createTempDirectory(folder, "chaos-").toAbsolutePath();
    System.err.printf("seed %d, files in %s%n", seed, folder);
    Path[] homes = new Path[nodes];
    for (int i = 0; i < nodes; i++) {
      homes[i] = folder.resolve("node-" + (i + 1));
    }
    if (shared) {
      TestStore.shareAt(db.contains("://") ? db : TestStore.postgres(), homes);
    }
    Ledgers.Result result;
    try (FaultRounds all = new FaultRounds(folder, new Random(seed), homes)) {
      for (int i = 1; i <= rounds; i++) {
        int faults = nodes == 1 ? Fault.CUT.ordinal() : Fault.values().length;
        Fault fault =
            mode.equals("all")
                ? Fault.values()[i % faults]
                : Fault.valueOf(mode.toUpperCase(Locale.ROOT));
        all.round(messages, fault);
        System.err.printf("round %d of %d: %s%n", i, rounds, fault);
      }
      result = all.finish();
    }
    String recovery = nodes == 1 ? "fault to ready" : "fault to taken over";
    row("rounds", result.rounds(), "");
    row("accepted messages", result.accepted(), "");
    row("given up after five kills", result.poison(), "told as error");
    row("lost", result.lost(), "must be 0");
    row("without an outcome", result.unsettled(), "must be 0");
    row("not told to the application", result.untold(), "must be 0");
    row("sent by the database only", result.invented(), "must be 0");
    row("duplicates at the relay", result.duplicates(), "");
    row("of these flagged uncertain", result.duplicates() - result.unflagged(), "must be all");
    row("copies under another Message-ID", result.changed(), "must be 0");
    row("sent under a lost lease", result.stale(), mode.matches("kill|drain") ? "no such fault" : "must be 0");
    row("attempts flagged uncertain", result.uncertain(), mode.equals("drain") ? "must be 0" : "");
    row("recoveries measured", result.recoveries().size(), "");
    row("recovery p50, ms", (int) result.recoveryMedian().toMillis(), recovery);
    if (nodes > 1) {
      row("two leases, ms", 2000 * FaultRounds.LEASE_SECONDS, "must be more");
    }
    row("recovery max, ms", (int) result.recoveryMax().toMillis(), "");
    row("stopped on SIGTERM", result.stopped() ? 1 : 0, "must be 1");
    boolean late =
        nodes > 1 && result.recoveryMedian().toSeconds() >= 2 * FaultRounds.LEASE_SECONDS;
    boolean holds =
        result.holds() && !late && !(mode.equals("drain") && result.uncertain() > 0);
    System.out.println(holds ? "HOLDS" : "VIOLATED");
    System.exit(holds ? 0 : 1);
  }

  private static void row(String what, int value, String remark) {
    System.out.printf("| %-31s | %8d | %-19s |%n", what, value, remark);
  }

  private static void usage() {
    System.err.println(
        "bench/chaos [--db sqlite|postgresql|postgresql://USER:PASSWORD@HOST:PORT/DATABASE]"
            + " [--nodes 1..8, with postgresql] [--mode kill|pause|drain|cut|all] [--rounds 1..1000]"
            + " [--messages 2..100000] [--seed N]");
    System.exit(2);
  }
}
