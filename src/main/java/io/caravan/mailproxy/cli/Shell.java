package io.caravan.mailproxy.cli;

import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.IFactory;
import picocli.CommandLine.ParameterException;

/** The commands put together, and what their ends mean to the caller. */
public final class Shell {
  private static final int WIDTH = 100;

  private Shell() {}

  /**
   * Runs one command.
   *
   * @return exit code: 0 done, 1 refused or failed, 2 not understood, 3 nobody answers
   */
  public static int run(String[] args, Terminal terminal, Program program) {
    CommandLine shell = of(terminal, program);
    return args.length == 0 ? shell.execute("help") : shell.execute(args);
  }

  /** All commands. */
  static CommandLine of(Terminal terminal, Program program) {
    IFactory factory = new Parts(terminal);
    CommandLine shell = new CommandLine(new MailProxyCommand(terminal, program), factory);
    shell
        .addSubcommand(new CommandLine(new Config(terminal, program), factory))
        .addSubcommand(new CommandLine(new Doctor(terminal, program), factory))
        .addSubcommand(Tenants.of(terminal, factory))
        .addSubcommand(new CommandLine(new Accounts(terminal), factory))
        .addSubcommand(
            MessageChange.below(
                new CommandLine(new Messages(terminal), factory), terminal, factory))
        .addSubcommand(new CommandLine(new CommandLog(terminal), factory))
        .addSubcommand(new CommandLine(new Keys(terminal), factory))
        .addSubcommand(new CommandLine(new Send(terminal), factory));
    return shell
        .setOut(new PrintWriter(terminal.out(), true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(terminal.err(), true, StandardCharsets.UTF_8))
        .setColorScheme(
            CommandLine.Help.defaultColorScheme(terminal.colours() ? Ansi.ON : Ansi.OFF))
        .setUsageHelpWidth(WIDTH)
        .setExpandAtFiles(false)
        .setParameterExceptionHandler((e, given) -> misunderstood(e, terminal))
        .setExecutionExceptionHandler((e, command, parsed) -> failed(e, terminal));
  }

  private static int misunderstood(ParameterException e, Terminal terminal) {
    CommandLine command = e.getCommandLine();
    terminal.err().println(Table.clean(String.valueOf(e.getMessage())));
    terminal.err().println("See: " + command.getCommandSpec().qualifiedName() + " --help");
    return Failure.USAGE;
  }

  private static int failed(Exception e, Terminal terminal) throws Exception {
    if (e instanceof Failure failure) {
      terminal.err().println(failure.text());
      return failure.exitCode();
    }
    if (e instanceof UncheckedIOException) {
      terminal.err().println("the answer is none of this proxy's; check --url and GMP_URL");
      return Failure.FAILED;
    }
    throw e;
  }

  /** Makes the groups of options that commands share. */
  private record Parts(Terminal terminal) implements IFactory {
    @Override
    public <K> K create(Class<K> type) throws Exception {
      if (type == Remote.class) {
        return type.cast(new Remote(terminal));
      }
      if (type == Consent.class) {
        return type.cast(new Consent(terminal));
      }
      return CommandLine.defaultFactory().create(type);
    }
  }
}
