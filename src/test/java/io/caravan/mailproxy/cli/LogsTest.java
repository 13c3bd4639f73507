package io.caravan.mailproxy.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
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
}
