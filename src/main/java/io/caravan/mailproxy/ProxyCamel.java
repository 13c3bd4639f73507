package io.caravan.mailproxy;

import io.caravan.mailproxy.delivery.OutgoingMail;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.main.SimpleMainShutdownStrategy;
import org.apache.camel.support.SimpleTypeConverter;

/** Camel as the proxy wants it, before anything is loaded: settings, route files, libraries. */
final class ProxyCamel {
  private ProxyCamel() {}

  /**
   * A Camel that is not initialised yet.
   *
   * @param settings keys of {@code config/application.properties} that win over the file
   */
  static Main of(
      Path home, Map<String, String> settings, RouteOverlay overlay, Libraries libraries) {
    Main main =
        new Main() {
          @Override
          protected void modelineRoutes(CamelContext context) {
            // no route file has comments that tell Camel something: each would be read once more
          }
        };
    main.setShutdownStrategy(new SimpleMainShutdownStrategy()); // no hook: Main.Stop is it
    Properties overrides = new Properties();
    overrides.putAll(settings);
    overrides.put("home", home.toString());
    main.setOverrideProperties(overrides);
    main.setPropertyPlaceholderLocations("file:" + home.resolve("config/application.properties"));
    main.setRoutesCollector(overlay);
    main.addMainListener(
        new MainListenerSupport() {
          @Override
          public void beforeInitialize(BaseMainSupport support) {
            support.getCamelContext().setApplicationContextClassLoader(libraries);
            // A key such as `port` must not be taken from a variable PORT: GMP_PORT is named in
            // the file.
            if (support.getCamelContext().getPropertiesComponent()
                instanceof PropertiesComponent properties) {
              properties.setEnvironmentVariableMode(
                  PropertiesComponent.ENVIRONMENT_VARIABLES_MODE_NEVER);
            }
          }
        });
    return main;
  }

  /** Makes the beans and what routes need beside them. */
  static void loadBeans(CamelContext context, RouteOverlay overlay) throws Exception {
    context
        .getTypeConverterRegistry()
        .addTypeConverter(
            InputStream.class,
            OutgoingMail.class,
            new SimpleTypeConverter(
                false,
                (Class<?> type, Exchange exchange, Object value) ->
                    ((OutgoingMail) value).contentStream()));
    overlay.loadBeans(context);
  }
}
