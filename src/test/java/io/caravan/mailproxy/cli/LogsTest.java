package io.caravan.mailproxy.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Json;
import java.nio.file.Path;
import java.util.Map;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.Appender;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.message.SimpleMessage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LogsTest {
  @TempDir Path home;

  @AfterEach
  void forget() {
    System.clearProperty("mailproxy.log.level");
    System.clearProperty("mailproxy.log.format");
    System.clearProperty("mailproxy.home");
  }

  @ParameterizedTest
  @CsvSource({"WARNING,WARN", "critical,FATAL", "debug,DEBUG", "INFO,INFO", "'',INFO"})
  void levels_may_have_pythons_names(String given, String level) {
    Logs.prepare(home, Map.of("LOG_LEVEL", given));

    assertThat(System.getProperty("mailproxy.log.level")).isEqualTo(level);
  }

  @Test
  void what_is_no_level_or_form_is_refused() {
    assertThatThrownBy(() -> Logs.prepare(home, Map.of("LOG_LEVEL", "LOUD")))
        .hasMessageContaining("LOG_LEVEL")
        .hasMessageContaining("LOUD");
    assertThatThrownBy(() -> Logs.prepare(home, Map.of("LOG_FORMAT", "xml")))
        .hasMessageContaining("LOG_FORMAT");
  }

  @Test
  void a_failure_is_one_object_on_one_line() {
    Path shipped = Path.of("config/log4j2.xml");
    try (LoggerContext context = new LoggerContext("shipped", null, shipped.toUri())) {
      context.start();
      LogEvent event =
          Log4jLogEvent.newBuilder()
              .setLoggerName("x")
              .setLevel(Level.WARN)
              .setMessage(new SimpleMessage("a \"b\"\r\n{c}\u0001\\"))
              .setThrown(new IllegalStateException("\"gone\""))
              .build();
      Appender json = context.getConfiguration().getAppender("Json");
      String line = json.getLayout().toSerializable(event).toString();

      assertThat(line.strip()).doesNotContain("\n", "\r");
      JsonNode entry = Json.tree(line);
      assertThat(entry.properties().stream().map(Map.Entry::getKey))
          .containsExactly("timestamp", "level", "message", "logger", "exception");
      assertThat(entry.path("level").asText()).isEqualTo("WARNING");
      assertThat(entry.path("message").asText()).isEqualTo("a \"b\"\r\n{c}\u0001\\");
      assertThat(entry.path("exception").asText())
          .startsWith("java.lang.IllegalStateException: \"gone\"\n\tat ");
    }
  }
}
