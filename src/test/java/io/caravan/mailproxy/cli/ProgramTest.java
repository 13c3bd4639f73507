package io.caravan.mailproxy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.endtoend.ProxyProcess;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands as processes of their own: exit codes, and what goes where. */
class ProgramTest {
  @TempDir Path home;

  private record Ended(int code, String out, String err) {}

  private Ended run(Map<String, String> environment, String... args) throws Exception {
    List<String> command =
        ProxyProcess.command(ProxyProcess.QUICK_START, System.getProperty("java.class.path"), args);
    Path out = home.resolve("out");
    Path err = home.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("GMP_"));
    builder.environment().put("GMP_HOME", TestProxy.home(home).toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  @Test
  void the_environment_is_checked_and_shown() throws Exception {
    Ended wrong = run(Map.of("GMP_SYNC_BATCH", "0"), "config", "check");
    assertThat(wrong.code()).as(wrong.err()).isEqualTo(1);
    assertThat(wrong.err()).contains("GMP_SYNC_BATCH", "application.properties, line ");
    assertThat(wrong.out()).isEmpty();

    Ended right = run(Map.of(), "config", "check");
    assertThat(right.code()).as(right.err()).isZero();
    assertThat(right.out().lines()).containsExactly("config and routes are in order");
    assertThat(home.resolve("data")).doesNotExist();
    assertThat(home.resolve("log")).doesNotExist();

    Ended shown = run(Map.of("GMP_API_TOKEN", "canary", "GMP_SYNC_BATCH", "9"), "config", "show");
    assertThat(shown.out()).contains("api.token=***", "sync.batch=9").doesNotContain("canary");
  }

  @Test
  void exit_codes_tell_how_it_ended() throws Exception {
    assertThat(run(Map.of()).code()).isZero();
    assertThat(run(Map.of(), "start", "--help").out()).contains("--insecure-dev");
    Ended unknown = run(Map.of(), "begin");
    assertThat(unknown.code()).isEqualTo(2);
    assertThat(unknown.err()).contains("begin", "--help");
    Ended nobody = run(Map.of("GMP_URL", "http://127.0.0.1:1"), "status");
    assertThat(nobody.code()).isEqualTo(3);
    assertThat(nobody.out()).isEmpty();
    Ended unasked = run(Map.of("GMP_URL", "http://127.0.0.1:1"), "tenants", "delete", "x");
    assertThat(unasked.code()).isEqualTo(2);
  }
}
