package io.caravan.mailproxy;

import io.caravan.mailproxy.cli.Arguments;
import io.caravan.mailproxy.cli.Logs;
import io.caravan.mailproxy.cli.Shell;
import io.caravan.mailproxy.cli.Terminal;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** The program: {@code start} and {@code demo}; all other commands are {@link Shell}'s. */
public final class Main {
  private static final int EXIT_CONFIGURATION = 2;

  private Main() {}

  /** Exit codes: 0 stopped as asked, 2 wrong usage or configuration; those of {@link Shell}. */
  public static void main(String[] args) throws Exception {
    if (Arguments.serves(args)) {
      System.exit(serve(args));
    }
    Logs.silence();
    System.exit(Shell.run(args, Terminal.ofProcess(), new HomeFolder(System.getenv())));
  }

  /** Runs the proxy until it is ended. */
  static int serve(String[] args) throws Exception {
    Arguments arguments;
    try {
      arguments = Arguments.parse(args, System.getenv());
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      return EXIT_CONFIGURATION;
    }
    try {
      Logs.prepare(arguments.home(), logSettings(arguments.command()));
    } catch (IllegalArgumentException e) {
      System.err.println("mail-proxy cannot start: " + e.getMessage());
      return EXIT_CONFIGURATION;
    }
    Stop stop = new Stop();
    Runtime.getRuntime().addShutdownHook(new Thread(stop, "stop"));
    try {
      return switch (arguments.command()) {
        case DEMO -> Demo.run(arguments.home(), stop);
        default -> {
          stop.awaitEndOf(MailProxy.start(arguments.home(), arguments.settings()));
          yield 0;
        }
      };
    } catch (ConfigurationException e) {
      System.err.println("mail-proxy cannot start: " + e.getMessage());
      stop.leave();
      return EXIT_CONFIGURATION;
    }
  }

  /** The demo prints its own story; the log would fall between its lines. */
  private static Map<String, String> logSettings(Arguments.Command command) {
    Map<String, String> environment = new HashMap<>(System.getenv());
    if (command == Arguments.Command.DEMO) {
      environment.putIfAbsent("LOG_LEVEL", "WARNING");
    }
    return environment;
  }

  /**
   * What SIGTERM and Ctrl-C do: a running proxy stops in order and the exit code is 0; the second
   * one ends it at once, and the code tells which. One that is still starting just ends, as it
   * would by a kill: nothing of its state is lost.
   */
  static final class Stop implements Runnable {
    private @Nullable MailProxy running;
    private boolean leaving;

    /** Never returns, unless the program is being left for another reason. */
    void awaitEndOf(MailProxy proxy) throws InterruptedException {
      synchronized (this) {
        running = proxy;
      }
      new CountDownLatch(1).await();
    }

    /** The program ends by itself; there is nothing to stop. */
    synchronized void leave() {
      leaving = true;
    }

    @Override
    public void run() {
      AgainAtOnce.arm();
      MailProxy proxy;
      synchronized (this) {
        if (leaving) {
          return;
        }
        proxy = running;
      }
      if (proxy != null) {
        proxy.close();
      }
      Logs.flush();
      Runtime.getRuntime().halt(0);
    }
  }
}
