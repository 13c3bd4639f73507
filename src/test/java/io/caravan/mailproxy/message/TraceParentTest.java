package io.caravan.mailproxy.message;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

/** W3C Trace Context, section 3.2. */
class TraceParentTest {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String SPAN = "00f067aa0ba902b7";

  @ParameterizedTest
  @CsvSource({
    "00,01,,true",
    "00,00,,false",
    "00,03,,true",
    "cc,01,-what-will-be,true",
    "01,08,,false"
  })
  void what_is_valid_is_read(String version, String flags, String more, boolean sampled) {
    String text = version + "-" + TRACE + "-" + SPAN + "-" + flags + (more == null ? "" : more);

    TraceParent parent = TraceParent.parse(text);

    assertThat(parent).isEqualTo(new TraceParent(TRACE, SPAN, sampled));
    assertThat(TraceParent.parse(parent.text())).isEqualTo(parent);
  }

  @ParameterizedTest
  @NullAndEmptySource
  @ValueSource(
      strings = {
        "ff-" + TRACE + "-" + SPAN + "-01",
        "0-" + TRACE + "-" + SPAN + "-01",
        "00-" + TRACE + "-" + SPAN,
        "00-" + TRACE + "-" + SPAN + "-1",
        "00-" + TRACE + "-" + SPAN + "-01-more",
        "00-" + TRACE + "-" + SPAN + "-01 ",
        "01-" + TRACE + "-" + SPAN + "-01.more",
        "00-00000000000000000000000000000000-" + SPAN + "-01",
        "00-" + TRACE + "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + SPAN + "-01",
        "00_" + TRACE + "_" + SPAN + "_01"
      })
  void what_is_not_is_none(String text) {
    assertThat(TraceParent.parse(text)).isNull();
  }

  @Test
  void it_is_written_as_the_version_that_is_known() {
    assertThat(new TraceParent(TRACE, SPAN, true).text())
        .isEqualTo("00-" + TRACE + "-" + SPAN + "-01");
  }
}
