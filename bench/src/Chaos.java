import io.caravan.mailproxy.endtoend.KillRounds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** bench/chaos [--rounds 20] [--messages 200] [--seed N] */
public final class Chaos {
  public static void main(String[] args) throws Exception {
    int rounds = 20;
    int messages = 200;
    long seed = System.nanoTime();
    for (int i = 0; i + 1 < args.length; i += 2) {
      switch (args[i]) {
        case "--rounds" -> rounds = Integer.parseInt(args[i + 1]);
        case "--messages" -> messages = Integer.parseInt(args[i + 1]);
        case "--seed" -> seed = Long.parseLong(args[i + 1]);
        default -> usage();
      }
    }
    if (args.length % 2 != 0 || rounds < 1 || rounds > 1000 || messages < 2 || messages > 100_000) {
      usage();
    }
    Path folder = Files.createDirectories(Path.of("target/bench"));
    folder = Files.createTempDirectory(folder, "chaos-").toAbsolutePath();
    System.err.printf("seed %d, files in %s%n", seed, folder);
    KillRounds.Result result;
    try (KillRounds kill = new KillRounds(folder, new Random(seed))) {
      for (int i = 1; i <= rounds; i++) {
        kill.round(messages);
        System.err.printf("round %d of %d: killed and ready again%n", i, rounds);
      }
      result = kill.finish();
    }
    row("rounds", result.rounds(), "");
    row("accepted messages", result.accepted(), "");
    row("lost", result.lost(), "must be 0");
    row("without an outcome", result.unsettled(), "must be 0");
    row("sent by the database only", result.invented(), "must be 0");
    row("duplicates at the relay", result.duplicates(), "");
    row("of these flagged uncertain", result.duplicates() - result.unflagged(), "must be all");
    row("copies under another Message-ID", result.changed(), "must be 0");
    row("attempts flagged uncertain", result.uncertain(), "");
    row("recovery p50, ms", (int) result.recoveryMedian().toMillis(), "kill -9 to ready");
    row("recovery max, ms", (int) result.recoveryMax().toMillis(), "");
    row("stopped on SIGTERM", result.stopped() ? 1 : 0, "must be 1");
    System.out.println(result.holds() ? "HOLDS" : "VIOLATED");
    System.exit(result.holds() ? 0 : 1);
  }

  private static void row(String what, int value, String remark) {
    System.out.printf("| %-31s | %8d | %-16s |%n", what, value, remark);
  }

  private static void usage() {
    System.err.println("bench/chaos [--rounds 1..1000] [--messages 2..100000] [--seed N]");
    System.exit(2);
  }
}
