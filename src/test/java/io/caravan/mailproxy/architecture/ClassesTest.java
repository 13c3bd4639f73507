package io.caravan.mailproxy.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What a class may look like. */
class ClassesTest {
  private static final int MAX_CODE_LINES = 220;

  /** Longer ones, each with its reason. */
  private static final Map<String, String> LONGER =
      Map.of("AddressParser", "one grammar (RFC 5322, RFC 6532), read by one recursive descent");

  /** A record's head: its name, and its components up to the brace. */
  private static final Pattern RECORD = Pattern.compile("record (\\w+)\\s*(\\([^{]*)\\{");

  private static final Pattern SECRET =
      Pattern.compile("(?i)\\bString (password|token|secret|authorization|credentials?)\\b");

  @Test
  void classes_are_short() {
    List<String> tooLong = new ArrayList<>();
    for (Path file : Sources.java()) {
      long lines = Sources.codeLines(file);
      if (lines > MAX_CODE_LINES && !LONGER.containsKey(Sources.name(file))) {
        tooLong.add(Sources.name(file) + ": " + lines);
      }
    }
    assertThat(tooLong).as("classes of more than %d code lines", MAX_CODE_LINES).isEmpty();
  }

  @Test
  void exceptions_to_the_length_are_still_needed() {
    assertThat(
            Sources.java().stream()
                .filter(file -> Sources.codeLines(file) > MAX_CODE_LINES)
                .map(Sources::name))
        .containsAll(LONGER.keySet());
  }

  @Test
  void records_with_a_secret_do_not_show_it() {
    List<String> telling = new ArrayList<>();
    for (Path file : Sources.java()) {
      String text = Sources.text(file);
      Matcher record = RECORD.matcher(text);
      while (record.find()) {
        if (SECRET.matcher(record.group(2)).find() && !text.contains("String toString()")) {
          telling.add(record.group(1));
        }
      }
    }
    assertThat(telling).as("records that hold a secret and print it").isEmpty();
  }
}
