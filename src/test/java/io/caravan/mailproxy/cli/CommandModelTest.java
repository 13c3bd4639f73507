package io.caravan.mailproxy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.HomeFolder;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** What commands there are: in the program, on docs/command-line.md, and for the shell. */
class CommandModelTest {
  private static final Path PAGE = Path.of("docs/command-line.md");

  /** The example of a command: the first column of a table. */
  private static final Pattern EXAMPLE =
      Pattern.compile("^\\| `mail-proxy (.+?)` \\|", Pattern.MULTILINE);

  @TempDir Path folder;

  private static CommandLine shell() {
    return Shell.of(
        new Terminal(
            Map.of(),
            new ByteArrayInputStream(new byte[0]),
            new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
            new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
            false,
            false),
        new HomeFolder(Map.of()));
  }

  private static void collect(CommandLine command, String name, Set<String> names) {
    if (command.getSubcommands().isEmpty()) {
      names.add(name);
    }
    command
        .getSubcommands()
        .forEach((sub, below) -> collect(below, name.isEmpty() ? sub : name + " " + sub, names));
  }

  @Test
  void the_page_has_an_example_of_every_command_and_of_none_more() throws Exception {
    Set<String> commands = new TreeSet<>();
    collect(shell(), "", commands);
    Set<String> shown = new TreeSet<>();
    Matcher example = EXAMPLE.matcher(Files.readString(PAGE));
    while (example.find()) {
      String line = example.group(1);
      shown.add(
          commands.stream()
              .filter(name -> (line + " ").startsWith(name + " "))
              .findFirst()
              .orElse("no command: " + line));
    }
    assertThat(shown).isEqualTo(commands);
  }

  @Test
  void every_example_is_understood() throws Exception {
    Matcher example = EXAMPLE.matcher(Files.readString(PAGE));
    while (example.find()) {
      shell().parseArgs(example.group(1).replace("\\|", "|").split(" "));
    }
  }

  @Test
  void every_option_says_what_it_does_and_none_takes_a_secret() {
    described(shell(), "mail-proxy");
  }

  private static void described(CommandLine command, String name) {
    assertThat(command.getCommandSpec().usageMessage().description()).as(name).isNotEmpty();
    for (OptionSpec option : command.getCommandSpec().options()) {
      assertThat(option.description()).as("%s %s", name, option.longestName()).isNotEmpty();
      boolean secret = option.longestName().matches(".*(password|secret|token|key).*");
      assertThat(secret && !option.longestName().endsWith("-file"))
          .as("%s %s takes a secret as an argument", name, option.longestName())
          .isFalse();
    }
    command.getSubcommands().forEach((sub, below) -> described(below, name + " " + sub));
  }

  @Test
  void the_shell_understands_the_completion_script() throws Exception {
    CommandRun run = CommandRun.with(Map.of()).run("completion");
    assertThat(run.code()).isZero();
    Path script = Files.writeString(folder.resolve("completion"), run.out());
    Process bash =
        new ProcessBuilder(
                "bash",
                "-c",
                "source '%s'; COMP_WORDS=(mail-proxy ten); COMP_CWORD=1; _complete_mail-proxy; echo ${COMPREPLY[*]}"
                    .formatted(script))
            .redirectErrorStream(true)
            .start();
    assertThat(bash.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip())
        .isEqualTo("tenants");
  }

  @Test
  void help_is_there_for_all_and_for_each() {
    CommandRun all = CommandRun.with(Map.of()).run();
    assertThat(all.code()).isZero();
    assertThat(all.out())
        .contains("start", "demo", "doctor", "tenants", "GMP_API_TOKEN", "GMP_HOME");
    assertThat(CommandRun.with(Map.of()).run("--help").out()).isEqualTo(all.out());
    assertThat(CommandRun.with(Map.of()).run("help").out()).isEqualTo(all.out());
    CommandRun one = CommandRun.with(Map.of()).run("messages", "list", "--help");
    assertThat(one.code()).isZero();
    assertThat(one.out()).contains("--csv", "--tenant");
    CommandRun none = CommandRun.with(Map.of()).run("tenant");
    assertThat(none.code()).isEqualTo(2);
    assertThat(none.err()).contains("tenant", "mail-proxy --help");
    assertThat(CommandRun.with(Map.of()).run("tenants").code()).isEqualTo(2);
    assertThat(CommandRun.with(Map.of()).run("tenants", "show").code()).isEqualTo(2);
  }
}
