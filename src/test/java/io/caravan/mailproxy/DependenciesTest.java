package io.caravan.mailproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Holds the class path of the product against docs/dependencies.md. */
class DependenciesTest {
  private static final Path PAGE = Path.of("docs/dependencies.md");

  /** Written by the build before the tests: the jars in repository folders artifact/version. */
  private static final Path MADE = Path.of("target/runtime.classpath");

  private static final int MAX_JARS = 70;
  private static final long MAX_BYTES = 50_000_000;

  private static final Pattern ROW =
      Pattern.compile("^\\| `([^`]+)` \\|(?: `[^`]+` \\|)? \\S.*\\|$", Pattern.MULTILINE);

  @Test
  void the_page_names_every_jar_and_says_what_it_is_for() throws IOException {
    String page = Files.readString(PAGE);
    List<String> named =
        ROW.matcher(page.substring(0, page.indexOf("## Left out")))
            .results()
            .map(row -> row.group(1))
            .toList();
    assertThat(named)
        .as("jars in %s, against %s", PAGE, MADE)
        .doesNotHaveDuplicates()
        .containsExactlyInAnyOrderElementsOf(
            jars().stream().map(jar -> artifact(jar)).collect(Collectors.toList()));
  }

  @Test
  void the_product_stays_small() throws IOException {
    long bytes = 0;
    for (Path jar : jars()) {
      bytes += Files.size(jar);
    }
    assertThat(jars()).hasSizeLessThanOrEqualTo(MAX_JARS);
    assertThat(bytes).as("bytes of all jars").isLessThanOrEqualTo(MAX_BYTES);
  }

  private static String artifact(Path jar) {
    return jar.getParent().getParent().getFileName().toString();
  }

  private static List<Path> jars() throws IOException {
    assertThat(MADE).as("`mvn test` makes it").exists();
    return Pattern.compile(Pattern.quote(File.pathSeparator))
        .splitAsStream(Files.readString(MADE).strip())
        .map(Path::of)
        .toList();
  }
}
