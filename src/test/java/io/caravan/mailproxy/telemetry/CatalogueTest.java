package io.caravan.mailproxy.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravan.mailproxy.ConfigurationException;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The documented families: each that has a source is written to the letter, and no other is. */
class CatalogueTest {
  /** The second seed: emitted with label queue omitted as well, the sum of the queues. */
  private static final String ALSO_WITHOUT_QUEUE = "remote_throttle_unacknowledged_requests_count";

  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"(?:[^\"\\\\]|\\\\.)*\"");

  /** Off until export_metric names them. */
  private static final List<String> ASKED_FOR =
      List.of("simplemh_http_queue_latency_seconds", "delivery_probe_latency_seconds");

  @TempDir Path home;
  private final Catalogue catalogue = new Catalogue();

  /** Name, type and label names of a family. */
  private record Form(String name, String type, List<String> labels) {}

  /** What both seeds document; written down apart from the catalogue. */
  private static List<Form> documented() throws Exception {
    try (var in = CatalogueTest.class.getResourceAsStream("/telemetry/documented.tsv")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(line -> line.split("\t", -1))
          .map(
              column ->
                  new Form(
                      column[0],
                      column[1],
                      column[2].isEmpty() ? List.of() : List.of(column[2].split(",", -1))))
          .toList();
    }
  }

  private static Form form(Catalogue.Family family) {
    return new Form(
        family.name(),
        family.type().name().toLowerCase(Locale.ROOT),
        family.labels().stream().map(Catalogue.Label::name).toList());
  }

  @Test
  void the_catalogue_holds_what_is_documented_and_nothing_else() throws Exception {
    assertThat(documented()).hasSize(95);
    assertThat(catalogue.all().stream().map(CatalogueTest::form))
        .containsExactlyInAnyOrderElementsOf(documented());
    assertThat(catalogue.all().stream().filter(f -> !f.always()).map(Catalogue.Family::name))
        .containsExactlyInAnyOrderElementsOf(ASKED_FOR);
  }

  @Test
  void a_family_has_a_source_or_names_the_part_that_will_feed_it() {
    Map<String, List<String>> waiting = new TreeMap<>();
    for (Catalogue.Family family : catalogue.all()) {
      assertThat(family.part().isEmpty()).as(family.name()).isNotEqualTo(family.meter().isEmpty());
      assertThat(family.help()).as(family.name()).isNotBlank();
      if (family.meter().isEmpty()) {
        waiting.computeIfAbsent(family.part(), part -> new ArrayList<>()).add(family.name());
      }
    }
    System.out.println("Families without a source, by the part that will feed them:");
    waiting.forEach((part, names) -> System.out.println("  " + part + ": " + names));
  }

  @Test
  void each_family_with_a_source_is_written_as_documented_and_no_other() throws Exception {
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        TestProxy proxy = TestProxy.start(home, "export_metric", String.join(", ", ASKED_FOR))) {
      proxy.relayAccount("acme", "main", relay.port());
      proxy.submit(TestProxy.message("acme", "main", "m"));
      await()
          .atMost(SOON)
          .until(() -> text(proxy).contains("gmp_sent_total{account_id=\"main\"} 1.0\n"));
      String text = text(proxy);

      Map<String, Set<List<String>>> labels = labels(text);
      Set<String> silent = new TreeSet<>();
      for (Form form : documented()) {
        boolean fed =
            catalogue.all().stream()
                .anyMatch(f -> f.name().equals(form.name()) && !f.meter().isEmpty());
        String type = "# TYPE " + form.name() + " " + form.type() + "\n";
        if (!fed) {
          assertThat(text).doesNotContain("# TYPE " + form.name() + " ");
          assertThat(labels).doesNotContainKey(form.name());
        } else if (form.type().equals("histogram")) {
          assertThat(text).containsOnlyOnce(type);
          List<String> bucket = new ArrayList<>(form.labels());
          bucket.add("le");
          check(labels, form.name() + "_bucket", bucket, silent);
          check(labels, form.name() + "_count", form.labels(), silent);
          check(labels, form.name() + "_sum", form.labels(), silent);
          assertThat(text).doesNotContain(form.name() + "_max");
        } else {
          assertThat(text).containsOnlyOnce(type);
          check(labels, form.name(), form.labels(), silent);
        }
      }
      assertThat(silent)
          .as("families without a series, other than of probes that did not run yet")
          .allMatch(name -> ASKED_FOR.stream().anyMatch(name::startsWith));
    }
  }

  private static String text(TestProxy proxy) {
    return proxy.get("/metrics").body();
  }

  private static void check(
      Map<String, Set<List<String>>> labels, String name, List<String> names, Set<String> silent) {
    if (name.equals(ALSO_WITHOUT_QUEUE)) {
      assertThat(labels.get(name)).as(name).containsExactlyInAnyOrder(names, List.of("proxy"));
    } else if (labels.containsKey(name)) {
      assertThat(labels.get(name)).as(name).containsExactly(names);
    } else {
      silent.add(name);
    }
  }

  /** The label names of all samples, in the order in which they stand. */
  private static Map<String, Set<List<String>>> labels(String text) {
    return text.lines()
        .filter(line -> !line.startsWith("#"))
        .collect(
            Collectors.groupingBy(
                line -> line.split("[{ ]", 2)[0],
                Collectors.mapping(
                    line ->
                        LABEL
                            .matcher(line)
                            .results()
                            .map(label -> label.group(1))
                            .collect(Collectors.toList()),
                    Collectors.toSet())));
  }

  @Test
  void a_family_that_is_off_appears_when_it_is_named(@TempDir Path other) {
    try (TestProxy proxy = TestProxy.start(other)) {
      ASKED_FOR.forEach(name -> assertThat(text(proxy)).doesNotContain(name));
    }
    try (TestProxy proxy = TestProxy.start(home, "export_metric", ASKED_FOR.get(1) + " ,")) {
      assertThat(text(proxy))
          .contains("# TYPE " + ASKED_FOR.get(1) + " histogram\n")
          .doesNotContain(ASKED_FOR.get(0));
    }
  }

  @Test
  void a_name_that_is_no_metric_refuses_the_start() {
    assertThatThrownBy(
            () -> TestProxy.start(home, "export_metric", "gmp_sent_total,gmp_sent").close())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("export_metric: no metric is named gmp_sent");
  }
}
