package io.caravan.mailproxy.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * Takes the signals that ask for an end, so that a process that ends as asked has exit code 0: the
 * JVM's own way ends it with 143.
 */
public final class Signals {
  private Signals() {}

  /** Calls {@code then} on SIGTERM and SIGINT, each time one comes. */
  public static void onStop(Runnable then) {
    for (String name : new String[] {"TERM", "INT"}) {
      try {
        handle(name, then);
      } catch (ReflectiveOperationException e) {
        // A JVM without it, or with -Xrs: the shutdown hook still stops in order.
      }
    }
  }

  /** By reflection: the compiler warns of {@code sun.misc.Signal}, and cannot be told not to. */
  private static void handle(String name, Runnable then) throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    Object proxy =
        Proxy.newProxyInstance(
            Signals.class.getClassLoader(),
            new Class<?>[] {handler},
            (self, method, arguments) -> {
              if (method.getName().equals("handle")) {
                then.run();
              }
              return null;
            });
    try {
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
    } catch (InvocationTargetException e) {
      throw new ReflectiveOperationException("signal " + name + " belongs to the JVM", e);
    }
  }
}
