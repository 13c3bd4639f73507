package io.caravan.mailproxy.telemetry;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.ConfigurationException;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.MovableClock;
import io.caravan.mailproxy.endtoend.TestPorts;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Json;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status.StatusCode;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A span for each attempt, at a collector that reads OpenTelemetry's own format. */
@Timeout(120)
class TracesTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String SPAN = "00f067aa0ba902b7";
  private static final String PARENT = "00-" + TRACE + "-" + SPAN + "-01";

  @TempDir Path home;
  private Collector collector;
  private ScriptedSmtpServer relay;

  @BeforeEach
  void start() throws Exception {
    collector = new Collector();
    relay = new ScriptedSmtpServer();
  }

  @AfterEach
  void stop() throws Exception {
    relay.close();
    collector.close();
  }

  private TestProxy proxy(String... more) {
    String[] all = new String[more.length + 6];
    System.arraycopy(
        new String[] {
          "traces.enabled", "true", "traces.endpoint", collector.endpoint(), "retry.jitter", "0"
        },
        0,
        all,
        0,
        6);
    System.arraycopy(more, 0, all, 6, more.length);
    return TestProxy.start(home, all);
  }

  /** Submits one message in a request with these headers traceparent; it must be queued. */
  private static void submit(TestProxy proxy, Map<String, Object> message, String... parents) {
    HttpRequest.Builder request =
        proxy.request("/commands/add-messages").header("Content-Type", "application/json");
    for (String parent : parents) {
      request.header("traceparent", parent);
    }
    HttpResponse<String> answer =
        proxy.send(
            request
                .POST(
                    HttpRequest.BodyPublishers.ofString(
                        Json.text(Map.of("messages", List.of(message)))))
                .build());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    assertThat(TestProxy.json(answer).path("queued").intValue()).isEqualTo(1);
  }

  private List<Span> awaitSpans(String id, int spans) {
    await().atMost(SOON).untilAsserted(() -> assertThat(collector.spans(id)).as(id).hasSize(spans));
    return collector.spans(id);
  }

  @Test
  void all_attempts_of_a_message_are_in_the_trace_it_came_with() throws Exception {
    MovableClock.wire(home);
    long before = TimeUnit.MILLISECONDS.toNanos(MovableClock.now());
    try (TestProxy proxy = proxy("retry.delays", "7200")) {
      proxy.relayAccount("acme", "a", relay.port());
      String body = "x".repeat(20_000); // too long to come along with a claim
      submit(proxy, message("acme", "a", "small", "to", List.of("grey1+s@x.test")), PARENT);
      submit(
          proxy,
          message("acme", "a", "large", "to", List.of("grey1+l@x.test"), "body", body),
          PARENT);
      submit(proxy, message("acme", "a", "own", "to", List.of("grey1+o@x.test")));
      awaitSpans("small", 1);
      awaitSpans("large", 1);
      awaitSpans("own", 1);
    }
    MovableClock.advance(Duration.ofHours(3));
    try (TestProxy proxy = proxy()) {
      for (String id : List.of("small", "large", "own")) {
        awaitSpans(id, 2);
      }
      assertThat(proxy.state("acme", "small")).isEqualTo("sent");
    }

    for (String id : List.of("small", "large")) {
      List<Span> spans = collector.spans(id);
      assertThat(spans).extracting(Collector::trace).containsExactly(TRACE, TRACE);
      assertThat(spans).extracting(Collector::parent).containsExactly(SPAN, SPAN);
      assertThat(spans).extracting(Span::getFlags).containsOnly(0x301);
    }
    List<Span> own = collector.spans("own");
    assertThat(own).extracting(Collector::trace).doesNotContain(TRACE);
    assertThat(Collector.trace(own.get(0))).isEqualTo(Collector.trace(own.get(1)));
    assertThat(own).extracting(Collector::parent).containsOnly("");
    assertThat(collector.spans()).extracting(Span::getSpanId).doesNotHaveDuplicates();

    Span first = collector.spans("small").get(0);
    Span second = collector.spans("small").get(1);
    assertThat(first.getName()).isEqualTo("send a");
    assertThat(first.getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_CLIENT);
    assertThat(first.getStartTimeUnixNano()).isGreaterThanOrEqualTo(before - 1_000_000);
    assertThat(first.getEndTimeUnixNano()).isGreaterThan(first.getStartTimeUnixNano());
    assertThat(second.getStartTimeUnixNano() - first.getEndTimeUnixNano())
        .isGreaterThan(Duration.ofHours(2).toNanos());
    assertThat(first.getStatus().getCode()).isEqualTo(StatusCode.STATUS_CODE_UNSET);
    assertThat(Collector.attributes(first))
        .containsOnly(
            Map.entry("messaging.system", "smtp"),
            Map.entry("messaging.operation.type", "send"),
            Map.entry("messaging.operation.name", "send"),
            Map.entry("messaging.destination.name", "a"),
            Map.entry("messaging.message.id", "small"),
            Map.entry("server.address", "127.0.0.1"),
            Map.entry("server.port", (long) relay.port()),
            Map.entry("mailproxy.tenant.id", "acme"),
            Map.entry("mailproxy.account.id", "a"),
            Map.entry("mailproxy.attempt.number", 1L),
            Map.entry("mailproxy.attempt.queue", "ram"),
            Map.entry("mailproxy.attempt.outcome", "deferred"),
            Map.entry("mailproxy.attempt.recipients", 1L),
            Map.entry("mailproxy.smtp.phase", "rcpt"),
            Map.entry("mailproxy.smtp.code", 450L),
            Map.entry("mailproxy.smtp.enhanced_code", "4.2.0"),
            Map.entry("error.type", "450"));
    assertThat(Collector.attributes(second))
        .containsEntry("mailproxy.attempt.number", 2L)
        .containsEntry("mailproxy.attempt.queue", "disk")
        .containsEntry("mailproxy.attempt.outcome", "sent")
        .containsEntry("mailproxy.smtp.phase", "done")
        .containsEntry("mailproxy.smtp.code", 250L)
        .doesNotContainKey("error.type");
    assertThat(collector.resources().map(of -> Collector.read(of.getAttributesList())))
        .isNotEmpty()
        .allMatch(of -> of.get("service.name").equals("mail-proxy"));
  }

  @Test
  void failures_tell_codes_and_nobody_is_named() throws Exception {
    int nobody = TestPorts.next();
    try (TestProxy proxy = proxy("traces.headers", "authorization=Basic%20c2VjcmV0, x=y")) {
      proxy.relayAccount("acme", "a", relay.port());
      proxy.relayAccount("acme", "gone", nobody);
      relay.script =
          step ->
              step.line().contains("550.5.1.1+mx")
                  ? "550 5.1.1 nobody is called 550.5.1.1+mx@x.test"
                  : null;
      List<String> both = List.of("550.5.1.1+mx@x.test", "fine+mx@x.test");
      submit(proxy, message("acme", "a", "failed", "to", List.of("550.5.1.1+mx@x.test")));
      submit(proxy, message("acme", "a", "partly", "to", both));
      submit(proxy, message("acme", "gone", "unreachable", "to", List.of("fine+mx@x.test")));

      Span failed = awaitSpans("failed", 1).get(0);
      assertThat(failed.getStatus().getCode()).isEqualTo(StatusCode.STATUS_CODE_ERROR);
      assertThat(failed.getStatus().getMessage()).isEqualTo("550 5.1.1");
      assertThat(Collector.attributes(failed))
          .containsEntry("mailproxy.attempt.outcome", "failed")
          .containsEntry("mailproxy.smtp.enhanced_code", "5.1.1")
          .containsEntry("error.type", "550");
      assertThat(Collector.attributes(awaitSpans("partly", 1).get(0)))
          .containsEntry("mailproxy.attempt.outcome", "sent")
          .containsEntry("mailproxy.attempt.recipients", 2L)
          .containsEntry("mailproxy.smtp.code", 250L);
      Span unreachable = awaitSpans("unreachable", 1).get(0);
      assertThat(unreachable.getStatus().getCode()).isEqualTo(StatusCode.STATUS_CODE_UNSET);
      assertThat(Collector.attributes(unreachable))
          .containsEntry("mailproxy.attempt.outcome", "deferred")
          .containsEntry("mailproxy.smtp.phase", "connect")
          .containsEntry("error.type", "unreachable")
          .containsEntry("server.port", (long) nobody)
          .doesNotContainKey("mailproxy.smtp.code");
    }
    assertThat(collector.logIns).containsOnly("Basic c2VjcmV0");
    assertThat(collector.bodies())
        .extracting(body -> new String(body, StandardCharsets.ISO_8859_1))
        .noneMatch(body -> body.contains("+mx"));
  }

  @Test
  void a_traceparent_that_is_none_is_ignored_and_callers_decide_whether_to_record() {
    try (TestProxy proxy = proxy()) {
      proxy.relayAccount("acme", "a", relay.port());
      submit(proxy, message("acme", "a", "unsampled"), "00-" + TRACE + "-" + SPAN + "-00");
      submit(proxy, message("acme", "a", "nonsense"), "nonsense");
      submit(proxy, message("acme", "a", "zero"), "00-" + "0".repeat(32) + "-" + SPAN + "-01");
      submit(proxy, message("acme", "a", "two"), PARENT, PARENT);
      submit(proxy, message("acme", "a", "later"), "42-" + TRACE + "-" + SPAN + "-01-x");
      for (String id : List.of("nonsense", "zero", "two")) {
        assertThat(awaitSpans(id, 1)).extracting(Collector::trace).as(id).doesNotContain(TRACE);
        assertThat(collector.spans(id)).extracting(Collector::parent).containsOnly("");
      }
      assertThat(awaitSpans("later", 1)).extracting(Collector::parent).containsOnly(SPAN);
      await().atMost(SOON).until(() -> proxy.state("acme", "unsampled").equals("sent"));
    }
    assertThat(collector.spans("unsampled")).isEmpty();
  }

  @Test
  void nothing_is_sent_while_it_is_off() {
    try (TestProxy proxy =
        TestProxy.start(home, "traces.endpoint", collector.endpoint(), "traces.ratio", "1")) {
      proxy.relayAccount("acme", "a", relay.port());
      submit(proxy, message("acme", "a", "m"), PARENT);
      await().atMost(SOON).until(() -> proxy.state("acme", "m").equals("sent"));
      assertThat(Metrics.of(proxy).mentions("mailproxy_spans")).isFalse();
    }
    assertThat(collector.calls).hasValue(0);
  }

  @Test
  void a_collector_that_comes_back_gets_what_waited() {
    collector.status = 503;
    try (TestProxy proxy = proxy()) {
      proxy.relayAccount("acme", "a", relay.port());
      submit(proxy, message("acme", "a", "m"), PARENT);
      await().atMost(SOON).until(() -> collector.calls.get() > 0);
      collector.status = 200;
      awaitSpans("m", 1);
      await().atMost(SOON).until(() -> Metrics.of(proxy).of("mailproxy_spans_sent_total") == 1);
      assertThat(Metrics.of(proxy).of("mailproxy_spans_dropped_total")).isZero();

      collector.status = 400;
      submit(proxy, message("acme", "a", "refused"), PARENT);
      await().atMost(SOON).until(() -> Metrics.of(proxy).of("mailproxy_spans_dropped_total") == 1);
      collector.status = 200;
      submit(proxy, message("acme", "a", "last"), PARENT);
      await().atMost(SOON).until(() -> proxy.state("acme", "last").equals("sent"));
    }
    assertThat(collector.spans("last")).as("sent at the stop, if not before").hasSize(1);
    assertThat(collector.spans("refused")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_collector_that_is_dead_or_hangs_holds_nothing_up(boolean hangs) {
    if (hangs) {
      collector.status = 0;
    } else {
      collector.close();
    }
    try (TestProxy proxy = proxy("traces.max-waiting", "2", "traces.timeout-seconds", "1")) {
      proxy.relayAccount("acme", "a", relay.port());
      submit(proxy, message("acme", "a", "first"), PARENT);
      await().atMost(SOON).until(() -> !hangs || collector.calls.get() > 0);
      for (int i = 0; i < 20; i++) {
        submit(proxy, message("acme", "a", "m-" + i), PARENT);
      }
      await().atMost(SOON).until(() -> relay.mails.size() == 21);
      await().atMost(SOON).until(() -> Metrics.of(proxy).of("mailproxy_spans_dropped_total") >= 17);
      assertThat(Metrics.of(proxy).of("mailproxy_spans_sent_total")).isZero();
    } // and the stop ends
  }

  @ParameterizedTest
  @CsvSource({
    "0,0000000000000000,false",
    "0.5,7fffffffffffffff,true",
    "0.5,8000000000000001,false",
    "1,ffffffffffffffff,true"
  })
  void a_share_of_the_traces_is_taken(String ratio, String end, boolean wanted) {
    try (Traces traces = new Traces(new SimpleMeterRegistry())) {
      traces.setRatio(ratio);
      assertThat(traces.wants("f".repeat(16) + end)).isEqualTo(wanted);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "traces.endpoint '' x=y",
        "traces.endpoint collector:4318 x=y",
        "traces.endpoint ftp://host x=y",
        "traces.endpoint http:// x=y",
        "traces.endpoint http://u:secret@host x=y",
        "traces.endpoint 'http://u:secret@a b' x=y",
        "traces.headers http://host secret",
        "traces.headers http://host x=y,",
        "traces.headers http://host 'x y=secret'",
        "traces.headers http://host x=%zzsecret",
        "traces.headers http://host x=%0asecret",
        "host http://host host=secret"
      })
  void settings_that_mean_nothing_are_refused(String named, String endpoint, String headers) {
    try (Traces traces = new Traces(new SimpleMeterRegistry())) {
      traces.setEnabled("true");
      traces.setEndpoint(endpoint);
      traces.setHeaders(headers);
      assertThatThrownBy(traces::begin)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(named)
          .hasMessageNotContaining("secret");
    }
  }

  @Test
  void a_start_with_such_settings_is_refused_and_tells_no_secret() {
    assertThatThrownBy(() -> proxy("traces.headers", "x y=secret"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("traces.headers: not name=value")
        .hasMessageNotContaining("secret");
    assertThatThrownBy(() -> proxy("traces.enabled", "on"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("traces.enabled: neither true nor false");
    assertThatThrownBy(() -> proxy("traces.ratio", "2"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("traces.ratio: not a number from 0 to 1");
  }
}
