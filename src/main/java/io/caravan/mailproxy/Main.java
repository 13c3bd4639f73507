package io.caravan.mailproxy;

import io.caravan.mailproxy.cli.Arguments;
import io.caravan.mailproxy.cli.Logs;
import io.caravan.mailproxy.cli.Signals;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** The program: {@code start} and {@code demo}. */
public final class Main {
  private static final int EXIT_CONFIGURATION = 2;

  private Main() {}

  /** Exit codes: 0 stopped as asked, 2 wrong usage or configuration. */
  public static void main(String[] args) throws Exception {
    System.exit(run(args));
  }

  private static int run(String[] args) throws Exception {
    Arguments arguments;
    try {
      arguments = Arguments.parse(args, System.getenv());
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      return EXIT_CONFIGURATION;
    }
    if (arguments.command() == Arguments.Command.HELP) {
      System.out.println(Arguments.USAGE);
      return 0;
    }
    Logs.prepare(arguments.home(), System.getenv());
    try {
      return switch (arguments.command()) {
        case DEMO -> Demo.run(arguments.home());
        default -> serve(arguments.home(), arguments.settings());
      };
    } catch (ConfigurationException e) {
      System.err.println("mail-proxy cannot start: " + e.getMessage());
      if (System.getenv("GMP_DEBUG") != null) {
        e.printStackTrace();
      }
      return EXIT_CONFIGURATION;
    }
  }

  private static int serve(Path home, Map<String, String> settings) throws InterruptedException {
    MailProxy proxy = MailProxy.start(home, settings);
    awaitEnd(proxy);
    return 0;
  }

  /** Until SIGTERM or Ctrl-C, then stops in order. */
  static void awaitEnd(MailProxy proxy) throws InterruptedException {
    CountDownLatch asked = new CountDownLatch(1);
    Signals.onStop(asked::countDown);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(proxy), "stop"));
    asked.await();
    stop(proxy);
  }

  private static void stop(MailProxy proxy) {
    proxy.close();
    Logs.flush();
  }
}
