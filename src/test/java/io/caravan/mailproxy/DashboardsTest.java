package io.caravan.mailproxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.caravan.mailproxy.telemetry.Catalogue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The dashboards and the alert rules that are documented for {@code gmp_*}. That their expressions
 * have data is what bench/check-telemetry shows.
 */
class DashboardsTest {
  private static final Path DASHBOARDS = Path.of("docker/grafana/dashboards");
  private static final Path PAGE = Path.of("docs/monitoring.md");

  /** Panels of the first system's page and their queries. */
  private static final Map<String, String> DOCUMENTED =
      Map.of(
          "Send Rate", "rate(gmp_sent_total[5m])",
          "Error Rate", "rate(gmp_errors_total[5m])",
          "Success Rate",
              "rate(gmp_sent_total[5m]) / (rate(gmp_sent_total[5m]) + rate(gmp_errors_total[5m])) * 100",
          "Queue Depth", "gmp_pending_messages",
          "Rate Limit Hits", "increase(gmp_rate_limited_total[1m])",
          "Throughput by Account", "sum by(account_id) (rate(gmp_sent_total[5m]))");

  /** Its alerts: expression, time, severity. */
  private static final Map<String, List<String>> ALERTS =
      Map.of(
          "MailProxyHighErrorRate",
          List.of(
              "rate(gmp_errors_total[5m]) / (rate(gmp_sent_total[5m]) + rate(gmp_errors_total[5m])) > 0.1",
              "5m",
              "warning"),
          "MailProxyQueueBacklog",
          List.of("gmp_pending_messages > 1000", "10m", "warning"),
          "MailProxyRateLimited",
          List.of("increase(gmp_rate_limited_total[5m]) > 100", "5m", "info"),
          "MailProxyDown",
          List.of("up{job=\"mail-proxy\"} == 0", "1m", "critical"));

  private static final Pattern NAME = Pattern.compile("\\b[a-z]+_[a-z_0-9]+\\b");
  private static final Pattern PART = Pattern.compile("_(?:bucket|sum|count|max)$");

  private final ObjectMapper json = new ObjectMapper();

  @ParameterizedTest
  @ValueSource(strings = {"operations.json", "account.json"})
  void panels_say_what_they_show(String file) throws Exception {
    JsonNode board = board(file);
    Set<Integer> ids = new HashSet<>();
    Set<String> titles = new HashSet<>();
    for (JsonNode panel : board.path("panels")) {
      String title = panel.path("title").asText();
      assertThat(titles.add(title)).as("%s: one panel %s", file, title).isTrue();
      assertThat(ids.add(panel.path("id").asInt())).as("%s: id of %s", file, title).isTrue();
      if (!panel.path("type").asText().equals("row")) {
        assertThat(panel.path("description").asText()).as(title).isNotBlank().doesNotContain("\n");
        assertThat(panel.at("/fieldConfig/defaults/unit").asText()).as(title).isNotBlank();
        assertThat(panel.at("/datasource/uid").asText()).as(title).isEqualTo("${datasource}");
        assertThat(panel.path("targets")).as(title).isNotEmpty();
      }
    }
    assertThat(overlaps(board)).as("%s: panels that lie on another", file).isEmpty();
  }

  private static List<String> overlaps(JsonNode board) {
    Map<String, String> cells = new LinkedHashMap<>();
    List<String> overlaps = new ArrayList<>();
    for (JsonNode panel : board.path("panels")) {
      JsonNode at = panel.path("gridPos");
      String title = panel.path("title").asText();
      for (int x = at.path("x").asInt(); x < at.path("x").asInt() + at.path("w").asInt(); x++) {
        for (int y = at.path("y").asInt(); y < at.path("y").asInt() + at.path("h").asInt(); y++) {
          String other = cells.putIfAbsent(x + " " + y, title);
          if (other != null || x > 23) {
            overlaps.add(title + " and " + other);
          }
        }
      }
    }
    return overlaps;
  }

  @ParameterizedTest
  @ValueSource(strings = {"operations.json", "account.json"})
  void panels_ask_for_metrics_of_the_page_and_of_the_job_chosen(String file) throws Exception {
    Set<String> unknown = new TreeSet<>();
    String page = Files.readString(PAGE);
    Catalogue catalogue = new Catalogue();
    Set<String> documented =
        catalogue.families().stream().map(Catalogue.Family::name).collect(Collectors.toSet());
    for (String expression : expressions(board(file)).values()) {
      // every selector names the job; without labels and functions only metrics have an underscore
      String bare =
          expression
              .replaceAll("\\{job=\"\\$job\"[^}]*}", "{}")
              .replaceAll("by ?\\([^)]*\\)", "")
              .replace("histogram_quantile", "");
      Matcher name = NAME.matcher(bare);
      while (name.find()) {
        String metric = name.group();
        boolean selected = bare.startsWith("{}", name.end());
        String family = PART.matcher(metric).replaceFirst("");
        boolean known =
            documented.contains(metric)
                || documented.contains(family)
                || page.contains("`" + metric + "`")
                || page.contains("`" + family + "`");
        if (!known || !selected) {
          unknown.add(metric + (selected ? "" : " without job"));
        }
      }
    }
    assertThat(unknown).isEmpty();
  }

  @Test
  void the_documented_panels_are_there_with_their_queries() throws Exception {
    Map<String, String> there = expressions(board("operations.json"));
    DOCUMENTED.forEach(
        (title, query) ->
            assertThat(there.get(title).replace("{job=\"$job\"}", "")).as(title).isEqualTo(query));
  }

  @Test
  void the_documented_alerts_are_there() throws Exception {
    String rules = Files.readString(Path.of("docker/prometheus/alerts.yml"));
    ALERTS.forEach(
        (name, as) -> {
          Matcher rule =
              Pattern.compile(
                      "- alert: "
                          + name
                          + "\\n(?: +#.*\\n)*"
                          + " +expr: (?:\\|\\n)?(?<expr>(?s:.*?))\\n +for: (?<for>\\w+)\\n"
                          + " +labels: \\{ severity: (?<severity>\\w+) }\\n")
                  .matcher(rules);
          assertThat(rule.find()).as(name).isTrue();
          assertThat(
                  List.of(
                      rule.group("expr").strip().replaceAll("\\s+", " "),
                      rule.group("for"),
                      rule.group("severity")))
              .as(name)
              .isEqualTo(as);
        });
  }

  private JsonNode board(String file) throws IOException {
    return json.readTree(Files.readString(DASHBOARDS.resolve(file)));
  }

  /** By panel, and the reference of a further target. */
  private static Map<String, String> expressions(JsonNode board) {
    Map<String, String> expressions = new LinkedHashMap<>();
    for (JsonNode panel : board.path("panels")) {
      for (JsonNode target : panel.path("targets")) {
        String which = target.path("refId").asText();
        expressions.put(
            panel.path("title").asText() + (which.equals("A") ? "" : " " + which),
            target.path("expr").asText());
      }
    }
    return expressions;
  }
}
