package io.caravan.mailproxy;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.delivery.DeliveryQueue;
import io.caravan.mailproxy.delivery.OutgoingMail;
import io.caravan.mailproxy.delivery.SandboxRelay;
import io.caravan.mailproxy.delivery.SmtpPool;
import io.caravan.mailproxy.http.HttpEdge;
import io.caravan.mailproxy.queue.Outbox;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.component.micrometer.routepolicy.MicrometerRoutePolicyFactory;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.main.SimpleMainShutdownStrategy;
import org.apache.camel.support.SimpleTypeConverter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One running proxy: Camel with the routes, the settings and the store of a home folder. */
public final class MailProxy implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MailProxy.class);

  private final Main main = new Main();
  private final Path home;
  private boolean closed;

  private MailProxy(Path home) {
    this.home = home;
  }

  /**
   * Starts a proxy; returns when it answers requests.
   *
   * @param home folder with {@code config/}, {@code routes/} and {@code routes.d/}
   * @param settings keys of {@code config/application.properties} that win over the file
   * @throws ConfigurationException something in the home folder is not as it must be
   */
  public static MailProxy start(Path home, Map<String, String> settings) {
    MailProxy proxy = new MailProxy(home.toAbsolutePath().normalize());
    try {
      proxy.start(settings);
      return proxy;
    } catch (Exception e) {
      proxy.close();
      throw ConfigurationException.of(e);
    }
  }

  /** Where it answers. */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + router().getServer().getPort());
  }

  public CamelContext context() {
    return main.getCamelContext();
  }

  /** A bean of {@code routes/beans.camel.yaml}. */
  public <T> T bean(String name, Class<T> type) {
    return context().getRegistry().lookupByNameAndType(name, type);
  }

  /** A setting's value. */
  public String setting(String key) {
    return context().resolvePropertyPlaceholders("{{" + key + "}}");
  }

  /** Ends what is under way, within {@code drain.seconds}, and stops. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    CamelContext context = main.getCamelContext();
    if (context != null) {
      context.getRegistry().findByType(DeliveryQueue.class).forEach(DeliveryQueue::retire);
    }
    List<AutoCloseable> parts = closeables(context);
    main.stop();
    if (context != null) {
      parts.forEach(MailProxy::close);
      LOG.info("Mail proxy stopped");
    }
  }

  private void start(Map<String, String> settings) {
    main.setShutdownStrategy(new SimpleMainShutdownStrategy()); // no hook: Main.Stop is it
    Properties overrides = new Properties();
    overrides.putAll(settings);
    overrides.put("home", home.toString());
    main.setOverrideProperties(overrides);
    main.setPropertyPlaceholderLocations("file:" + home.resolve("config/application.properties"));
    RouteOverlay overlay = new RouteOverlay(home.resolve("routes"), home.resolve("routes.d"));
    main.setRoutesCollector(overlay);
    main.addMainListener(
        new MainListenerSupport() {
          @Override
          public void beforeInitialize(BaseMainSupport support) {
            // A key such as `port` must not be taken from a variable PORT: GMP_PORT is named in
            // the file.
            if (support.getCamelContext().getPropertiesComponent()
                instanceof PropertiesComponent properties) {
              properties.setEnvironmentVariableMode(
                  PropertiesComponent.ENVIRONMENT_VARIABLES_MODE_NEVER);
            }
          }

          @Override
          public void beforeConfigure(BaseMainSupport support) {
            CamelContext context = support.getCamelContext();
            ListenAddress.of(context).checkFree();
            equip(context, overlay);
          }
        });
    main.start();
    HttpEdge.attach(router());
    LOG.info("Mail proxy started, answering at {}", uri());
  }

  private static void equip(CamelContext context, RouteOverlay overlay) {
    checkPort(
        context.resolvePropertyPlaceholders("{{host}}"),
        Integer.parseInt(context.resolvePropertyPlaceholders("{{port}}").strip()));
    context.addRoutePolicyFactory(new MicrometerRoutePolicyFactory());
    context
        .getTypeConverterRegistry()
        .addTypeConverter(
            InputStream.class,
            OutgoingMail.class,
            new SimpleTypeConverter(
                false,
                (Class<?> type, Exchange exchange, Object value) ->
                    ((OutgoingMail) value).contentStream()));
    try {
      overlay.loadBeans(context);
    } catch (Exception e) {
      throw ConfigurationException.of(e);
    }
  }

  /** The HTTP server would wait forever for a port that it does not get. */
  private static void checkPort(String host, int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(host, port));
    } catch (IOException | IllegalArgumentException e) {
      throw new ConfigurationException(
          "cannot listen on " + host + " port " + port + ": " + e.getMessage());
    }
  }

  private VertxPlatformHttpRouter router() {
    return context().getRegistry().findByType(VertxPlatformHttpRouter.class).stream()
        .filter(VertxPlatformHttpRouter::isMainServer)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("the HTTP server does not run"));
  }

  /** In the order of closing; a context that has stopped does not know them any more. */
  private static List<AutoCloseable> closeables(@Nullable CamelContext context) {
    List<AutoCloseable> all = new ArrayList<>();
    if (context != null) {
      for (Class<? extends AutoCloseable> type :
          List.of(SmtpPool.class, SandboxRelay.class, Outbox.class, Database.class)) {
        all.addAll(context.getRegistry().findByType(type));
      }
    }
    return all;
  }

  private static void close(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      throw new IllegalStateException(part.getClass().getSimpleName() + " did not close", e);
    }
  }
}
