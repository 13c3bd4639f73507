package io.caravan.mailproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.caravan.mailproxy.ConfigurationException;
import io.caravan.mailproxy.HomeFolder;
import io.caravan.mailproxy.endtoend.ProxyProcess;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A broken file in routes.d refuses the start and says file, line and reason. */
class BrokenFilesTest {
  @TempDir Path home;

  static Stream<Arguments> broken() {
    return Stream.of(
        Arguments.of("a YAML syntax error", step("log: { id: b, message: \"open"), 8, "quoted"),
        Arguments.of("an unknown EIP", step("logg: { id: b, message: x }"), 8, "logg"),
        Arguments.of("an unknown field", step("log: { id: b, mesage: x }"), 8, "mesage"),
        Arguments.of(
            "an unknown placeholder", step("to: { id: b, uri: 'log:{{no.such}}' }"), 8, "no.such"),
        Arguments.of(
            "a missing bean", step("bean: { id: b, ref: nosuch, method: go }"), 8, "nosuch"),
        Arguments.of(
            "a missing method", step("bean: { id: b, ref: attempts, method: go }"), 8, "go"),
        Arguments.of("an unknown scheme", step("to: { id: b, uri: nosuch:x }"), 8, "nosuch"),
        Arguments.of(
            "an unknown parameter",
            step("to: { id: b, uri: log:x, parameters: { nosuch: 1 } }"),
            8,
            "nosuch"),
        Arguments.of(
            "a wrong expression", step("setBody: { id: b, simple: '${body' }"), 8, "${body"),
        Arguments.of(
            "a shipped step's id", step("log: { id: throttle, message: x }"), 8, "throttle"),
        Arguments.of(
            "a shipped route's id",
            step("log: { id: b, message: x }").replace("id: mine", "id: deliver-message"),
            2,
            "deliver-message"),
        Arguments.of(
            "a shipped route's endpoint",
            step("log: { id: b, message: x }").replace("direct:mine", "direct:deliver-message"),
            5,
            "Multiple consumers"),
        Arguments.of(
            "an unknown scheme to start from",
            step("log: { id: b, message: x }").replace("direct:mine", "nosuch:x"),
            5,
            "nosuch"),
        Arguments.of("nothing", "# a comment\n", 1, "[]"),
        Arguments.of("not a byte", "", 1, "[]"),
        Arguments.of("a route without its dash", "\nroute:\n  id: mine\n", 2, "is a list"),
        Arguments.of("words", "just some words\n", 1, "is a list"),
        Arguments.of("a list of words", "- route\n", 1, "is a mapping"),
        Arguments.of("a route with nothing in it", "- route:\n", 1, "nothing in it"));
  }

  private static String step(String step) {
    return """
    - route:
        id: mine
        description: A route of the user's own.
        from:
          uri: direct:mine
          steps:
            - log: { id: a, message: begins }
            - %s
    """
        .formatted(step);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("broken")
  void the_start_is_refused(String what, String yaml, int line, String reason) {
    TestProxy.route(home, "mine.camel.yaml", yaml);
    assertThatThrownBy(() -> TestProxy.start(home).close())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("routes.d/mine.camel.yaml, line " + line)
        .hasMessageContaining(reason);
    assertThat(new HomeFolder(Map.of("GMP_HOME", home.toString())).problems())
        .as("what config check says")
        .singleElement()
        .asString()
        .contains("routes.d/mine.camel.yaml, line " + line, reason);
  }

  @Test
  void both_places_of_an_id_are_named() {
    TestProxy.route(
        home,
        "mine.camel.yaml",
        step("log: { id: b, message: x }").replace("id: mine", "id: health"));
    assertThatThrownBy(() -> TestProxy.start(home).close())
        .hasMessageContaining("routes/observe.camel.yaml, line ")
        .hasMessageContaining("routes.d/mine.camel.yaml, line 2");
  }

  @Test
  void a_bean_that_cannot_be_made_is_named() {
    TestProxy.route(
        home,
        "beans.camel.yaml",
        """
        - beans:
            - name: clock
              type: java.time.NoSuchClock
        """);
    assertThatThrownBy(() -> TestProxy.start(home).close())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("routes.d/beans.camel.yaml, line 2")
        .hasMessageContaining("NoSuchClock");
  }

  @Test
  void the_next_start_without_the_broken_file_succeeds() throws Exception {
    TestProxy.route(home, "mine.camel.yaml", step("to: { id: b, uri: nosuch:x }"));
    assertThatThrownBy(() -> TestProxy.start(home).close())
        .isInstanceOf(ConfigurationException.class);
    Files.delete(home.resolve("routes.d/mine.camel.yaml"));
    try (TestProxy proxy = TestProxy.start(home)) {
      assertThat(proxy.get("/health").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void the_program_ends_with_code_2_and_says_why() throws Exception {
    TestProxy.route(home, "mine.camel.yaml", step("to: { id: b, uri: nosuch:x }"));
    Path errors = home.resolve("stderr");
    ProcessBuilder program =
        new ProcessBuilder(
            ProxyProcess.command(
                ProxyProcess.QUICK_START,
                System.getProperty("java.class.path"),
                "start",
                "--insecure-dev"));
    program.environment().put("GMP_HOME", home.toString());
    program.environment().put("GMP_PORT", "0");
    program.redirectError(errors.toFile()).redirectOutput(ProcessBuilder.Redirect.DISCARD);
    assertThat(program.start().waitFor()).isEqualTo(2);
    assertThat(errors)
        .content()
        .contains("mail-proxy cannot start: ", "routes.d/mine.camel.yaml, line 8", "nosuch");
  }
}
