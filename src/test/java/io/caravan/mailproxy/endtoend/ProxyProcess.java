package io.caravan.mailproxy.endtoend;

import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.routes.RawHttp;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A proxy in a process of its own, to be measured or killed. Its log is a file of its home. */
public final class ProxyProcess implements AutoCloseable {
  public static final String TOKEN = "process-token";

  /**
   * What a process that is over in seconds is cheapest with: a third of the CPU time of its start.
   */
  public static final List<String> QUICK_START =
      List.of(
          "-XX:TieredStopAtLevel=1",
          "-XX:+UseSerialGC",
          "-XX:+UnlockDiagnosticVMOptions",
          "-XX:-BytecodeVerificationRemote");

  private static final Duration START = Duration.ofMinutes(1);
  private static final long TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux

  private final Process process;
  private final int port;
  private final Path log;
  private final Duration startTime;

  private ProxyProcess(Process process, int port, Path log, Duration startTime) {
    this.process = process;
    this.port = port;
    this.log = log;
    this.startTime = startTime;
  }

  /** Starts one as this test's class path and {@link TestProxy#home} make it. */
  public static ProxyProcess start(Path home, String... settings) throws IOException {
    return start(
        TestProxy.home(home), System.getProperty("java.class.path"), QUICK_START, settings);
  }

  /**
   * Starts one and returns when it is ready.
   *
   * @param home its GMP_HOME
   * @param classPath where io.caravan.mailproxy.Main and its libraries are
   * @param options for the virtual machine
   * @param settings names and values of environment variables, in turns
   */
  public static ProxyProcess start(
      Path home, String classPath, List<String> options, String... settings) throws IOException {
    return startBy(List.of(), home, classPath, options, settings);
  }

  /**
   * The same by another program.
   *
   * @param launcher it and its arguments; it has to become what follows them, by exec
   */
  static ProxyProcess startBy(
      List<String> launcher, Path home, String classPath, List<String> options, String... settings)
      throws IOException {
    int port = TestPorts.next();
    List<String> command = new ArrayList<>(launcher);
    command.addAll(command(options, classPath, "start"));
    Map<String, String> environment = new HashMap<>();
    environment.put("GMP_HOME", home.toString());
    environment.put("GMP_HOST", "127.0.0.1");
    environment.put("GMP_PORT", String.valueOf(port));
    environment.put("GMP_API_TOKEN", TOKEN);
    environment.put("GMP_DB_PATH", TestStore.path(home));
    if (TestStore.isShared(home)) {
      if (!List.of(settings).contains("MAIL_PROXY_ENCRYPTION_KEY")) {
        environment.put("MAIL_PROXY_ENCRYPTION_KEY_FILE", TestStore.key(home).toString());
      }
      environment.put("GMP_NODE_NAME", home.toString());
      environment.put("GMP_LEASE_SECONDS", "2");
    }
    for (int i = 0; i < settings.length; i += 2) {
      environment.put(settings[i], settings[i + 1]);
    }
    Path log = home.resolve("proxy.log");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    long begun = System.nanoTime();
    Process process = builder.start();
    try {
      await("ready; see " + log)
          .atMost(START)
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(10))
          .until(() -> !process.isAlive() || ready(port));
      if (!process.isAlive()) {
        throw new IOException("the proxy ended at its start: " + Files.readString(log));
      }
    } catch (RuntimeException | IOException e) {
      process.destroyForcibly();
      throw e;
    }
    return new ProxyProcess(process, port, log, Duration.ofNanos(System.nanoTime() - begun));
  }

  /**
   * What runs the program.
   *
   * @param options for the virtual machine
   * @param arguments of the program
   */
  public static List<String> command(List<String> options, String classPath, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, "io.caravan.mailproxy.Main"));
    command.addAll(List.of(arguments));
    return command;
  }

  /** The SQLite database of a home. */
  public static Path database(Path home) {
    return home.resolve("data/mail.db").toAbsolutePath();
  }

  public int port() {
    return port;
  }

  public long pid() {
    return process.pid();
  }

  /** What it wrote to its output. */
  public Path log() {
    return log;
  }

  /** From the start of the process until it was ready. */
  public Duration startTime() {
    return startTime;
  }

  public KeepAlive connect() throws IOException {
    return new KeepAlive(port, TOKEN);
  }

  /** Posts JSON; the answer must be 200. */
  public void post(String path, String json) throws IOException {
    try (KeepAlive connection = connect()) {
      KeepAlive.Answer answer = connection.post(path, json);
      if (answer.status() != 200) {
        throw new IOException(path + ": " + answer.status() + " " + answer.body());
      }
    }
  }

  /** Posts JSON on a connection of its own; the whole answer, head and body. */
  public String refusal(String path, String json) throws IOException {
    return RawHttp.send(
        URI.create("http://127.0.0.1:" + port),
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Token: %s\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(path, TOKEN, json.length(), json));
  }

  /** Waits until /status tells of no pending message. */
  public void awaitEmpty(Duration atMost) throws IOException {
    awaitPending(0, atMost);
  }

  /** Waits until /status tells of so many pending messages. */
  public void awaitPending(int pending, Duration atMost) throws IOException {
    try (KeepAlive connection = connect()) {
      await(pending + " pending")
          .atMost(atMost)
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(5))
          .until(
              () ->
                  connection
                      .get("/status")
                      .body()
                      .replace(" ", "")
                      .contains("\"pending_messages\":" + pending + ","));
    }
  }

  /** CPU time used so far, in microseconds; 10 ms exact. */
  public long cpuMicros() throws IOException {
    return cpuMicros(pid());
  }

  /** The same of any process; 0 if there is none. */
  static long cpuMicros(long pid) throws IOException {
    return cpuMicros(pid, 11, 12);
  }

  /** The same of those of its children that ended. */
  static long endedCpuMicros(long pid) throws IOException {
    return cpuMicros(pid, 13, 14);
  }

  private static long cpuMicros(long pid, int user, int system) throws IOException {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      long ticks = Long.parseLong(fields[user]) + Long.parseLong(fields[system]);
      return ticks * 1_000_000 / TICKS_PER_SECOND;
    } catch (NoSuchFileException e) {
      return 0;
    }
  }

  /** Largest resident size so far, in KiB. */
  public long peakMemoryKib() throws IOException {
    return number("status", "VmHWM:");
  }

  /** Bytes it caused to be written to disk so far. */
  public long writtenBytes() throws IOException {
    return number("io", "write_bytes:");
  }

  private long number(String file, String field) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid() + "/" + file))) {
      if (line.startsWith(field)) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IOException("no " + field + " in " + file);
  }

  /** Ends it as the loss of its machine would: kill -9. */
  public void kill() {
    process.destroyForcibly();
    process.onExit().join();
  }

  /**
   * Sends it a signal.
   *
   * @param name such as {@code STOP}
   */
  public void signal(String name) throws IOException {
    try {
      Process kill = new ProcessBuilder("kill", "-" + name, String.valueOf(pid())).start();
      if (kill.waitFor() != 0) {
        throw new IOException("no signal " + name + " to " + pid());
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Waits until it ended by itself; its exit code. */
  public int awaitEnd(Duration atMost) {
    try {
      return process.onExit().get(atMost.toMillis(), TimeUnit.MILLISECONDS).exitValue();
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new IllegalStateException("it did not end; see " + log, e);
    }
  }

  /** Asks it to stop; its exit code, or -1 when it did not within 60 s. */
  public int stop() {
    process.destroy();
    try {
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        kill();
        return -1;
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      kill();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      kill();
    }
  }

  private static boolean ready(int port) {
    try (KeepAlive connection = new KeepAlive(port, TOKEN)) {
      return connection.get("/health/ready").status() == 200;
    } catch (IOException e) {
      return false;
    }
  }
}
