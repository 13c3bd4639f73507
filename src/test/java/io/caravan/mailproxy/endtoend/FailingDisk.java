package io.caravan.mailproxy.endtoend;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Flushes of processes that fail with an I/O error (reliability-security A5: F13), where strace is
 * installed and may follow processes; elsewhere the test that asks for it is left out.
 */
final class FailingDisk implements AutoCloseable {
  private static final String FLUSHES = "fsync,fdatasync";

  private final Process strace;
  private final Path calls;

  private FailingDisk(Process strace, Path calls) {
    this.strace = strace;
    this.calls = calls;
  }

  /** From now on no flush of these processes succeeds. */
  static FailingDisk under(Path folder, List<Long> pids) throws Exception {
    Path told = folder.resolve("strace");
    Path calls = folder.resolve("calls");
    List<String> command = new ArrayList<>(List.of("strace", "-f", "-e", "trace=" + FLUSHES, "-e"));
    command.addAll(List.of("inject=" + FLUSHES + ":error=EIO", "-o", calls.toString()));
    pids.forEach(pid -> command.addAll(List.of("-p", pid.toString())));
    try {
      Process strace =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(told.toFile())
              .start();
      await().until(() -> !strace.isAlive() || said(told, "attached") >= pids.size());
      assumeTrue(said(told, "attached") > 0, "strace may not follow a process");
      return new FailingDisk(strace, calls);
    } catch (IOException e) {
      return abort("no strace here");
    }
  }

  /** How many flushes failed so far. */
  long failed() throws IOException {
    return said(calls, "INJECTED");
  }

  private static long said(Path file, String word) throws IOException {
    return Pattern.compile(word).matcher(Files.readString(file)).results().count();
  }

  /** Waits until none of the processes that it is under is left. */
  void awaitEnd() {
    await().until(() -> !strace.isAlive());
  }

  /** The disk keeps again what it is given. */
  @Override
  public void close() {
    strace.destroy();
    awaitEnd();
  }
}
