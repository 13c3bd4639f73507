package io.caravan.mailproxy.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArgumentsTest {
  private static final Map<String, String> TOKEN = Map.of("GMP_API_TOKEN", "secret");

  @TempDir Path folder;

  @Test
  void starts_with_a_token() {
    Arguments arguments = parse(TOKEN, "start");

    assertThat(arguments.command()).isEqualTo(Arguments.Command.START);
    assertThat(arguments.settings()).isEmpty();
  }

  @Test
  void does_not_start_without_a_token() {
    assertThatThrownBy(() -> parse(Map.of(), "start"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no administrator token")
        .hasMessageContaining("GMP_API_TOKEN")
        .hasMessageContaining("--insecure-dev");
    assertThatThrownBy(() -> parse(Map.of("GMP_API_TOKEN", " "), "start"))
        .hasMessageContaining("no administrator token");
  }

  @Test
  void the_token_may_stand_in_a_file() throws Exception {
    String home = folder.toString();
    Files.writeString(folder.resolve("token"), " secret\n");
    Files.writeString(folder.resolve("blank"), " \n");

    assertThat(parse(Map.of("GMP_HOME", home, "GMP_API_TOKEN_FILE", "token"), "start").settings())
        .isEmpty();
    assertThatThrownBy(
            () -> parse(Map.of("GMP_HOME", home, "GMP_API_TOKEN_FILE", "blank"), "start"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("GMP_API_TOKEN_FILE: " + folder.resolve("blank") + " is empty");
    assertThatThrownBy(() -> parse(Map.of("GMP_API_TOKEN", "s3cret\nx"), "start"))
        .hasMessageContaining("GMP_API_TOKEN")
        .hasMessageNotContaining("s3cret");
    Files.writeString(folder.resolve("two"), "s3cret\nx\n");
    assertThatThrownBy(() -> parse(Map.of("GMP_HOME", home, "GMP_API_TOKEN_FILE", "two"), "start"))
        .hasMessageContaining("two holds more than one line")
        .hasMessageNotContaining("s3cret");
    Map<String, String> gone = Map.of("GMP_API_TOKEN_FILE", folder.resolve("gone").toString());
    assertThatThrownBy(() -> parse(gone, "start"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cannot read " + folder.resolve("gone") + ": NoSuchFileException");
    Map<String, String> both = new HashMap<>(gone);
    both.put("GMP_API_TOKEN", "secret");
    assertThat(parse(both, "start").settings()).isEmpty();
  }

  @Test
  void without_a_token_it_listens_on_this_machine_only() {
    assertThat(parse(TOKEN, "start", "--insecure-dev").settings())
        .containsEntry("host", "127.0.0.1")
        .containsEntry("api.token", "")
        .containsEntry("api.token-file", "");
  }

  @Test
  void says_what_it_does_not_understand() {
    assertThatThrownBy(() -> parse(TOKEN, "start", "--fast"))
        .hasMessageContaining("unknown argument --fast")
        .hasMessageContaining("mail-proxy start --help");
    assertThatThrownBy(() -> parse(TOKEN, "demo", "--insecure-dev"))
        .hasMessageContaining("unknown argument --insecure-dev");
  }

  @Test
  void runs_the_proxy_only_when_told_to() {
    assertThat(Arguments.serves(new String[] {"start", "--insecure-dev"})).isTrue();
    assertThat(Arguments.serves(new String[] {"start", "--help"})).isFalse();
    assertThat(Arguments.serves(new String[] {"status"})).isFalse();
    assertThat(Arguments.serves(new String[0])).isFalse();
  }

  @Test
  void runs_from_the_folder_that_is_named() {
    assertThat(Arguments.home(Map.of("GMP_HOME", "/srv/mail"), jar(), folder))
        .isEqualTo(Path.of("/srv/mail"));
  }

  @Test
  void runs_from_the_folder_the_jar_was_built_in() throws Exception {
    Files.createDirectories(folder.resolve("product/config"));

    assertThat(Arguments.home(Map.of(), jar(), folder)).isEqualTo(folder.resolve("product"));
    assertThat(Arguments.home(Map.of("GMP_HOME", ""), jar(), folder))
        .isEqualTo(folder.resolve("product"));
  }

  @Test
  void runs_from_the_working_directory_when_the_jar_stands_elsewhere() {
    assertThat(Arguments.home(Map.of(), jar(), folder)).isEqualTo(folder);
    assertThat(Arguments.home(Map.of(), null, folder)).isEqualTo(folder);
  }

  private Path jar() {
    return folder.resolve("product/target/mail-proxy.jar");
  }

  private static Arguments parse(Map<String, String> environment, String... args) {
    return Arguments.parse(args, environment);
  }
}
