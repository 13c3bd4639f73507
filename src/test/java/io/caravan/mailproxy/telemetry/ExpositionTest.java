package io.caravan.mailproxy.telemetry;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The two forms of the exposition, line by line. */
class ExpositionTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String OPENMETRICS = "application/openmetrics-text;version=1.0.0";

  /** OpenMetrics 1.0, "Exemplars": labels, value, Unix seconds. */
  private static final Pattern EXEMPLAR =
      Pattern.compile(" # \\{(message_id|trace_id)=\"[^\"]+\"} \\d+\\.\\d+(E-\\d+)? \\d+\\.\\d{3}");

  @TempDir Path home;

  private static String metrics(TestProxy proxy, String accept) {
    HttpResponse<String> answer =
        proxy.send(proxy.request("/metrics").header("Accept", accept).GET().build());
    assertThat(answer.statusCode()).isEqualTo(200);
    return answer.body();
  }

  private static void sendOne(TestProxy proxy, ScriptedSmtpServer relay) {
    proxy.relayAccount("acme", "main", relay.port());
    proxy.submit(message("acme", "main", "mail-1"));
    await()
        .atMost(SOON)
        .until(
            () ->
                metrics(proxy, "text/plain").contains("gmp_sent_total{account_id=\"main\"} 1.0\n"));
  }

  @Test
  void openmetrics_names_counters_without_the_suffix_and_ends() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy = TestProxy.start(home)) {
      sendOne(proxy, relay);
      Gauge.builder("remote_dslots_ram_total", () -> 7)
          .register(proxy.proxy().bean("metricsRegistry", MeterRegistry.class));
      String text = metrics(proxy, OPENMETRICS);

      assertThat(text).endsWith("\n# EOF\n").containsOnlyOnce("# EOF");
      assertThat(text)
          .contains("# HELP gmp_sent Total sent emails\n# TYPE gmp_sent counter\ngmp_sent_total{")
          .contains("# TYPE remote_attempts_success counter\nremote_attempts_success 1.0\n")
          .contains("# TYPE remote_dslots_ram_total gauge\nremote_dslots_ram_total 7.0\n")
          .contains("# TYPE remote_delivery_attempts counter\nremote_delivery_attempts_total{")
          .contains("# TYPE http_request_duration_seconds histogram\n")
          .contains(",le=\"+Inf\"} ")
          .doesNotContain("# TYPE gmp_sent_total");
      assertThat(text.lines().filter(String::isBlank)).isEmpty();
    }
  }

  @Test
  void exemplars_stand_where_prometheus_takes_them_and_only_in_openmetrics() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy = TestProxy.start(home)) {
      sendOne(proxy, relay);
      String text = metrics(proxy, OPENMETRICS);

      assertThat(text)
          .containsPattern(
              "gmp_sent_total\\{account_id=\"main\"} 1\\.0 # \\{message_id=\"mail-1\"} 1\\.0 \\d+")
          .containsPattern(
              "remote_delivery_attempts_total\\{outmta=\"main\",throttle=\"__default\","
                  + "result=\"success\"} 1\\.0 # \\{message_id=\"mail-1\"} 1\\.0 \\d+");
      List<String> traced =
          text.lines().filter(line -> !line.startsWith("#") && line.contains(" # ")).toList();
      assertThat(traced)
          .isNotEmpty()
          .allMatch(line -> EXEMPLAR.matcher(line).find())
          .allMatch(line -> line.split("\\{", 2)[0].matches("\\w+_(total|bucket)"));
      assertThat(text).contains("\nremote_attempts_started 1.0\n");
      assertThat(
              metrics(proxy, "text/plain")
                  .lines()
                  .filter(line -> !line.startsWith("#") && line.contains("#"))
                  .collect(Collectors.joining()))
          .isEmpty();
    }
  }

  @Test
  void a_bucket_shows_its_last_exemplar() {
    ExpositionText out = new ExpositionText(100, Format.OPENMETRICS);
    out.bucket("ping_seconds", List.of("proxy"), List.of("database"), 0.005, 3);
    out.end(new Exemplar(Exemplar.TRACE, "4bf9", 0.004, 1_700_000_000_042L));
    out.bucket("ping_seconds", List.of(), List.of(), Double.POSITIVE_INFINITY, 3);
    out.end(null);
    assertThat(out.finish())
        .isEqualTo(
            """
            ping_seconds_bucket{proxy="database",le="0.005"} 3.0 # {trace_id="4bf9"} 0.004 1700000000.042
            ping_seconds_bucket{le="+Inf"} 3.0
            # EOF
            """);
  }

  @Test
  void what_is_special_in_a_label_or_help_is_escaped() {
    List<String> labels = List.of("a", "b");
    List<String> values = List.of("back\\slash", "\"quote\"\nline");
    ExpositionText text = new ExpositionText(100, Format.TEXT);
    text.head("x_total", "COUNTER", "say \"a\\b\"\nend");
    text.sample("x_total", labels, values, 1);
    text.end(new Exemplar(Exemplar.MESSAGE, "not here", 1, 1));
    assertThat(text.finish())
        .isEqualTo(
            """
            # HELP x_total say "a\\\\b"\\nend
            # TYPE x_total counter
            x_total{a="back\\\\slash",b="\\"quote\\"\\nline"} 1.0
            """);

    ExpositionText open = new ExpositionText(100, Format.OPENMETRICS);
    open.head("x_total", "COUNTER", "say \"a\\b\"\nend");
    open.sample("x_total", labels, values, 1);
    open.end(new Exemplar(Exemplar.MESSAGE, "a\"b\\c\n", 1, 1_000));
    assertThat(open.finish())
        .isEqualTo(
            """
            # HELP x say \\"a\\\\b\\"\\nend
            # TYPE x counter
            x_total{a="back\\\\slash",b="\\"quote\\"\\nline"} 1.0 # {message_id="a\\"b\\\\c\\n"} 1.0 1.000
            # EOF
            """);
  }

  @Test
  void numbers_are_written_as_prometheus_reads_them() {
    assertThat(ExpositionText.number(1523)).isEqualTo("1523.0");
    assertThat(ExpositionText.number(0.25)).isEqualTo("0.25");
    assertThat(ExpositionText.number(1e21)).isEqualTo("1.0E21");
    assertThat(ExpositionText.number(Double.NaN)).isEqualTo("NaN");
    assertThat(ExpositionText.number(Double.POSITIVE_INFINITY)).isEqualTo("+Inf");
    assertThat(ExpositionText.number(Double.NEGATIVE_INFINITY)).isEqualTo("-Inf");
  }
}
