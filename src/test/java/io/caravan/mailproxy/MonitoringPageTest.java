package io.caravan.mailproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.telemetry.Catalogue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds docs/monitoring.md and the alert rules against the catalogue of metrics. */
class MonitoringPageTest {
  private static final Path DOCS = Path.of("docs/monitoring.md");
  private static final String BEGIN = "<!-- made from ";
  private static final String END = "<!-- end -->";

  /** A name that could be a documented one. */
  private static final Pattern NAME =
      Pattern.compile(
          "\\b(?:gmp|ram_queue|simplemh|raw_nowait|bounce_processor|bounce_message|fbl|lite|"
              + "incoming|disk_queue|remote|delivery_probe|http_request|event_delivery)_[a-z_]+\\b");

  private static final Pattern PART = Pattern.compile("_(?:bucket|sum|count)$");

  private final Catalogue catalogue = new Catalogue();

  @Test
  void the_table_says_what_the_catalogue_says() throws Exception {
    String there = Files.readString(DOCS);
    String page = page(there);
    Path made = Files.createDirectories(Path.of("target")).resolve("monitoring.md");
    Files.writeString(made, page);
    assertThat(there)
        .as("the table in %s differs from metrics.tsv; copy %s over it", DOCS, made)
        .isEqualTo(page);
  }

  @Test
  void the_table_has_every_family_once() throws Exception {
    Pattern row = Pattern.compile("^\\| `([a-z_]+)` \\|", Pattern.MULTILINE);
    assertThat(
            row.matcher(Files.readString(DOCS))
                .results()
                .map(found -> found.group(1))
                .collect(Collectors.toList()))
        .containsAll(catalogue.all().stream().map(Catalogue.Family::name).toList())
        .doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @ValueSource(strings = {"docker/prometheus/alerts.yml", "docker/prometheus/alerts-probes.yml"})
  void alert_rules_ask_for_families_that_are_exposed(String file) throws Exception {
    catalogue.setExport("simplemh_http_queue_latency_seconds,delivery_probe_latency_seconds");
    Set<String> exposed =
        catalogue.families().stream().map(Catalogue.Family::name).collect(Collectors.toSet());
    assertThat(names(Files.readString(Path.of(file)))).isNotEmpty().isSubsetOf(exposed);
  }

  @Test
  void the_page_names_no_family_that_is_not_documented() throws Exception {
    String page = Files.readString(DOCS);
    Set<String> documented =
        catalogue.all().stream().map(Catalogue.Family::name).collect(Collectors.toSet());
    Set<String> unknown = names(page.substring(0, page.indexOf(BEGIN)));
    unknown.removeAll(documented);
    // prefixes of several families, written with an asterisk or with braces
    unknown.removeIf(name -> name.endsWith("_"));
    assertThat(unknown).isEmpty();
  }

  private Set<String> names(String text) {
    Set<String> documented =
        catalogue.all().stream().map(Catalogue.Family::name).collect(Collectors.toSet());
    Set<String> names = new TreeSet<>();
    Matcher name = NAME.matcher(text);
    while (name.find()) {
      names.add(
          documented.contains(name.group())
              ? name.group()
              : PART.matcher(name.group()).replaceFirst(""));
    }
    return names;
  }

  private String page(String there) throws IOException {
    StringBuilder page = new StringBuilder(there.substring(0, there.indexOf(BEGIN)));
    page.append(BEGIN)
        .append("src/main/resources/telemetry/metrics.tsv; a test holds the two together -->\n\n");
    List<Catalogue.Family> fed =
        catalogue.all().stream().filter(family -> !family.meter().isEmpty()).toList();
    List<Catalogue.Family> others =
        catalogue.all().stream().filter(family -> family.meter().isEmpty()).toList();
    page.append(
        """
        %d families are documented, %d of them are fed here. A family is exposed if and only if the part that feeds it is
        there: none is written only to look complete. *Fed by* names the meter inside, and which of its tags count; routes write to meters
        with `micrometer:` steps.

        | metric | type | labels | StatsD key | fed by | what it tells |
        |---|---|---|---|---|---|
        """
            .formatted(catalogue.all().size(), fed.size()));
    for (Catalogue.Family family : fed) {
      page.append(row(family, meter(family)));
    }
    page.append(
        """

        The other %d come with the part that will feed them:

        | metric | type | labels | StatsD key | comes with | what it will tell |
        |---|---|---|---|---|---|
        """
            .formatted(others.size()));
    for (Catalogue.Family family : others) {
      page.append(row(family, family.part()));
    }
    return page.append('\n').append(there.substring(there.indexOf(END))).toString();
  }

  private static String row(Catalogue.Family family, String source) {
    String labels =
        family.labels().stream()
            .map(label -> "`" + label.name() + "`")
            .collect(Collectors.joining(", "));
    String key =
        family.labels().stream()
            .map(label -> "." + label.name() + "_{}")
            .collect(Collectors.joining("", family.statsd(), ""));
    return "| `%s` | %s | %s | `%s` | %s | %s |%n"
        .formatted(
            family.name(),
            family.type().name().toLowerCase(Locale.ROOT),
            labels,
            key,
            source,
            family.help());
  }

  private static String meter(Catalogue.Family family) {
    String tags =
        family.filter().entrySet().stream()
            .map(tag -> tag.getKey() + "=" + tag.getValue())
            .collect(Collectors.joining(", "));
    return "`"
        + family.meter()
        + "`"
        + (tags.isEmpty() ? "" : " (" + tags + ")")
        + (family.always() ? "" : ", if `export_metric` names it");
  }
}
