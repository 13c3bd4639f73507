package io.caravan.mailproxy;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.delivery.SandboxRelay;
import io.caravan.mailproxy.delivery.SmtpPool;
import io.caravan.mailproxy.http.HttpEdge;
import io.caravan.mailproxy.http.ServerVertx;
import io.caravan.mailproxy.queue.InFlight;
import io.caravan.mailproxy.queue.Nodes;
import io.caravan.mailproxy.telemetry.PrometheusListener;
import io.caravan.mailproxy.telemetry.RouteMeters;
import io.caravan.mailproxy.telemetry.Statsd;
import io.caravan.mailproxy.telemetry.Traces;
import io.caravan.mailproxy.throttle.Throttle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.CamelContext;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainListenerSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One running proxy: Camel with the routes, the settings and the store of a home folder. */
public final class MailProxy implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MailProxy.class);

  private final Libraries libraries;
  private final RouteOverlay overlay;
  private final Main main;
  private volatile HttpEdge.State state = HttpEdge.State.STARTING;
  private boolean closed;

  private MailProxy(Path home, Map<String, String> settings) {
    this.libraries = Libraries.of(home.resolve("lib.d"));
    this.overlay = new RouteOverlay(home.resolve("routes"), home.resolve("routes.d"));
    this.main = ProxyCamel.of(home, settings, overlay, libraries);
  }

  /**
   * Starts a proxy; returns when it answers requests.
   *
   * @param home folder with {@code config/}, {@code routes/} and {@code routes.d/}
   * @param settings keys of {@code config/application.properties} that win over the file
   * @throws ConfigurationException something in the home folder is not as it must be
   */
  public static MailProxy start(Path home, Map<String, String> settings) {
    MailProxy proxy = new MailProxy(home.toAbsolutePath().normalize(), settings);
    proxy.refusing(proxy::start);
    return proxy;
  }

  /**
   * Loads settings, beans and routes as a start does, and ends: nothing listens, no route runs, and
   * the database is an empty one.
   *
   * @param scratch folder for that database
   * @param shared whether a start's would be shared with other nodes: their routes are looked at
   * @throws ConfigurationException a start would be refused, and why
   */
  static void rehearse(Path home, Path scratch, boolean shared) {
    Map<String, String> settings =
        Map.of(
            "db.path",
            scratch.resolve("mail.db").toString(),
            "sandbox.path",
            scratch.resolve("sandbox").toString(),
            "camel.main.autoStartup",
            "false",
            "camel.server.enabled",
            "false");
    MailProxy proxy = new MailProxy(home.toAbsolutePath().normalize(), settings);
    proxy.refusing(() -> proxy.load(shared));
    proxy.close();
  }

  /** Runs it with the libraries in reach; a failure closes the proxy. */
  private void refusing(Runnable work) {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(libraries);
    try {
      work.run();
    } catch (Exception e) {
      List<String> places = places(e);
      close();
      throw ConfigurationException.of(e, places);
    } finally {
      thread.setContextClassLoader(before);
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
    List<AutoCloseable> parts = parts();
    boolean ran = !parts.isEmpty();
    if (ran) {
      state = HttpEdge.State.DRAINING;
      try (Drain drain = new Drain(context().getRegistry(), setting("drain.seconds"))) {
        drain.run();
        main.stop();
      }
    } else {
      main.stop();
    }
    parts.forEach(MailProxy::close);
    close(libraries);
    if (ran) {
      LOG.info("Mail proxy stopped");
    }
  }

  private void start() {
    main.addMainListener(
        new MainListenerSupport() {
          @Override
          public void beforeConfigure(BaseMainSupport support) {
            Ranges.check(support.getCamelContext());
            ListenAddress.of(support.getCamelContext()).checkFree();
            equip(support.getCamelContext(), overlay);
            support
                .getCamelContext()
                .getRegistry()
                .findByType(PrometheusListener.class)
                .forEach(PrometheusListener::start);
            ListenAddress.of(support.getCamelContext()).checkFreeOf("prometheus_listen");
            attachEdge(support.getCamelContext());
          }
        });
    main.start();
    try (ProducerTemplate template = context().createProducerTemplate()) {
      template.requestBody("direct:apply-declared", (Object) null);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    state = HttpEdge.State.SERVING;
    ListenAddress.of(context()).confirm(router(), router().getServer().getPort());
    LOG.info("Mail proxy started, answering at {}", uri());
  }

  private void load(boolean shared) {
    main.addMainListener(
        new MainListenerSupport() {
          @Override
          public void beforeConfigure(BaseMainSupport support) {
            Ranges.check(support.getCamelContext());
            equip(support.getCamelContext(), overlay);
            tell(support.getCamelContext(), shared);
          }
        });
    main.start();
    List<String> clashes = new Culprit(context(), overlay.files(context())).clashes();
    if (!clashes.isEmpty()) {
      throw new ConfigurationException(
          String.join("\n  ", clashes) + "\n  Multiple consumers for the same endpoint");
    }
  }

  private static void equip(CamelContext context, RouteOverlay overlay) {
    try {
      ProxyCamel.loadBeans(context, overlay);
      tell(
          context,
          context.getRegistry().lookupByNameAndType("database", Database.class).isShared());
      context.addRoutePolicyFactory(
          context.getRegistry().lookupByNameAndType("routeMeters", RouteMeters.class));
    } catch (Exception e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  /** Routes ask it whether they are for nodes that share a database. */
  private static void tell(CamelContext context, boolean shared) {
    context.getPropertiesComponent().addOverrideProperty("db.shared", String.valueOf(shared));
  }

  /**
   * The HTTP server listens as soon as it stands, and the routes join it one by one; it reads
   * nothing before the edge is there to answer.
   */
  private void attachEdge(CamelContext context) {
    try {
      context.addStartupListener(
          (camel, already) -> {
            HttpEdge.attach(router(), () -> state);
            camel.getRegistry().findByType(ServerVertx.class).forEach(ServerVertx::open);
          });
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private List<String> places(Exception failure) {
    CamelContext context = main.getCamelContext();
    return context == null ? List.of() : new Culprit(context, overlay.files(context)).of(failure);
  }

  private VertxPlatformHttpRouter router() {
    return context().getRegistry().findByType(VertxPlatformHttpRouter.class).stream()
        .filter(VertxPlatformHttpRouter::isMainServer)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("the HTTP server does not run"));
  }

  /** What is to be closed, in this order, after Camel stopped; it forgets its beans by then. */
  private List<AutoCloseable> parts() {
    List<AutoCloseable> parts = new ArrayList<>();
    CamelContext context = main.getCamelContext();
    if (context != null) {
      context.getRegistry().findByType(ServerVertx.class).forEach(vertx -> parts.add(vertx::end));
      for (Class<? extends AutoCloseable> type :
          List.of(
              PrometheusListener.class,
              Statsd.class,
              Traces.class,
              SmtpPool.class,
              SandboxRelay.class,
              Throttle.class,
              Nodes.class,
              InFlight.class,
              Database.class)) {
        parts.addAll(context.getRegistry().findByType(type));
      }
    }
    return parts;
  }

  private static void close(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      throw new IllegalStateException(part.getClass().getSimpleName() + " did not close", e);
    }
  }
}
