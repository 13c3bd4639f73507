package io.caravan.mailproxy;

import java.lang.reflect.Proxy;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whoever asks a second time to stop waits no longer: the process ends as by a kill. Java itself
 * hears only the first signal; what hears the others is reached by its name, because compilers warn
 * of it.
 */
final class AgainAtOnce {
  private static final Logger LOG = LoggerFactory.getLogger(AgainAtOnce.class);

  /** Exit codes as a shell tells them. */
  private static final Map<String, Integer> CODES = Map.of("TERM", 143, "INT", 130);

  private AgainAtOnce() {}

  /** From now on SIGTERM and SIGINT end the process. */
  static void arm() {
    CODES.forEach(
        (name, code) -> {
          try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object end =
                Proxy.newProxyInstance(
                    handler.getClassLoader(),
                    new Class<?>[] {handler},
                    (self, method, values) -> {
                      if (method.getName().equals("handle")) {
                        Runtime.getRuntime().halt(code);
                      }
                      return null;
                    });
            signal
                .getMethod("handle", signal, handler)
                .invoke(null, signal.getConstructor(String.class).newInstance(name), end);
          } catch (ReflectiveOperationException | IllegalArgumentException e) {
            LOG.debug("A second SIG{} will not be heard", name, e);
          }
        });
  }
}
