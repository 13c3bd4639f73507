package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.ConfigurationException;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jars in lib.d: a route of the user's own uses their components and classes. */
class LibrariesTest {
  private static final String COMPONENT =
      """
      package hail;

      import java.util.Map;
      import org.apache.camel.*;
      import org.apache.camel.support.*;

      public class HailComponent extends DefaultComponent {
        protected Endpoint createEndpoint(String uri, String rest, Map<String, Object> parameters) {
          return new DefaultEndpoint(uri, this) {
            public Producer createProducer() {
              return new DefaultProducer(this) {
                public void process(Exchange exchange) {
                  exchange.getMessage().setHeader("X-Hail", rest);
                }
              };
            }

            public Consumer createConsumer(Processor processor) {
              throw new UnsupportedOperationException();
            }
          };
        }
      }
      """;

  private static final String BEAN =
      """
      package hail;

      public class Stamp {
        public void stamp(org.apache.camel.Exchange exchange) {
          exchange.getMessage().setHeader("X-Stamp", "stamped");
        }
      }
      """;

  private static final String HOOKS =
      """
      - route:
          id: on-before-send
          description: Uses what is in lib.d.
          routeConfigurationId: inner
          from:
            uri: direct:on-before-send
            steps:
              - to: { id: hail-step, uri: hail:caesar }
              - bean: { id: stamp-step, beanType: hail.Stamp, method: stamp }
      """;

  @TempDir Path home;

  @Test
  void a_component_and_a_class_of_a_jar_are_used_by_a_route() throws Exception {
    jar(Files.createDirectories(home.resolve("lib.d")).resolve("hail.jar"));
    TestProxy.route(home, "hooks.camel.yaml", HOOKS);
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy = TestProxy.start(home)) {
      proxy.relayAccount("acme", "usual", relay.port());
      proxy.submit(message("acme", "usual", "m"));

      await().untilAsserted(() -> assertThat(proxy.state("acme", "m")).isEqualTo("sent"));
      assertThat(relay.mails.get(0).content())
          .contains("X-Hail: caesar\r\n", "X-Stamp: stamped\r\n");
    }
  }

  @Test
  void a_broken_jar_is_named() throws Exception {
    Files.writeString(Files.createDirectories(home.resolve("lib.d")).resolve("a.jar"), "no zip");
    assertThatThrownBy(() -> TestProxy.start(home).close())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("lib.d/a.jar is no jar");
  }

  private void jar(Path jar) throws Exception {
    Path sources = Files.createDirectories(home.resolve("sources/hail"));
    Path classes = Files.createDirectories(home.resolve("classes"));
    Path component = Files.writeString(sources.resolve("HailComponent.java"), COMPONENT);
    Path bean = Files.writeString(sources.resolve("Stamp.java"), BEAN);
    int failed =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-nowarn",
                "-proc:none",
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                classes.toString(),
                component.toString(),
                bean.toString());
    assertThat(failed).isZero();
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      for (Path file : files(classes)) {
        entry(out, classes.relativize(file).toString(), Files.readAllBytes(file));
      }
      entry(
          out,
          "META-INF/services/org/apache/camel/component/hail",
          "class=hail.HailComponent\n".getBytes(StandardCharsets.UTF_8));
    }
  }

  private static List<Path> files(Path folder) throws Exception {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile).toList();
    }
  }

  private static void entry(JarOutputStream jar, String name, byte[] content) throws Exception {
    jar.putNextEntry(new JarEntry(name));
    OutputStream out = jar;
    out.write(content);
    jar.closeEntry();
  }
}
