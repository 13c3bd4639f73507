package io.caravan.mailproxy.telemetry;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The documented families, from {@code telemetry/metrics.tsv}: the only place of their names, and
 * of the meters that feed them. A family without a meter has no part yet that could feed it and is
 * not exposed.
 */
public final class Catalogue {
  private static final String FILE = "/telemetry/metrics.tsv";
  private static final String MILLISECONDS = "_milliseconds";

  private final List<Family> families;
  private final Set<String> exported = new TreeSet<>();

  /** Prometheus types. */
  public enum Type {
    COUNTER,
    GAUGE,
    HISTOGRAM
  }

  /**
   * A label and the tag of the meter that it shows.
   *
   * @param name as documented
   */
  public record Label(String name, String tag) {}

  /**
   * One documented metric.
   *
   * @param labels in the documented order
   * @param statsd its StatsD key, labels not yet appended
   * @param always whether it is exposed unasked, else only when {@code export_metric} names it
   * @param meter the Micrometer meter that feeds it; empty: nothing does yet
   * @param filter tags and the values which the meters must have that count here
   * @param part what will feed it; empty where there is a meter
   */
  public record Family(
      String name,
      Type type,
      List<Label> labels,
      String statsd,
      boolean always,
      String meter,
      Map<String, String> filter,
      String part,
      String help) {

    /** StatsD wants milliseconds where the key says so (telemetry.md 1, rule 4). */
    public boolean inMilliseconds() {
      return statsd.endsWith(MILLISECONDS);
    }
  }

  /** Reads the file. */
  public Catalogue() {
    try (InputStream in = Catalogue.class.getResourceAsStream(FILE)) {
      if (in == null) {
        throw new IllegalStateException(FILE + " is not in the jar");
      }
      families = parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Exposes families that are not exposed unasked.
   *
   * @param names documented names, separated by commas ({@code export_metric})
   * @throws IllegalArgumentException there is no family of such a name
   */
  public void setExport(String names) {
    for (String name : names.split(",", -1)) {
      if (!name.isBlank()) {
        if (families.stream().noneMatch(family -> family.name().equals(name.strip()))) {
          throw new IllegalArgumentException("export_metric: no metric is named " + name.strip());
        }
        exported.add(name.strip());
      }
    }
  }

  /** All documented families, those included that nothing feeds yet. */
  public List<Family> all() {
    return families;
  }

  /** The families that are exposed, in the order in which they are written. */
  public List<Family> families() {
    return families.stream().filter(family -> !family.meter().isEmpty()).filter(this::on).toList();
  }

  /** Whether a family is exposed, by its name. */
  public boolean exposes(String name) {
    return families().stream().anyMatch(family -> family.name().equals(name));
  }

  private boolean on(Family family) {
    return family.always() || exported.contains(family.name());
  }

  private static List<Family> parse(String text) {
    List<Family> families = new ArrayList<>();
    for (String line : text.lines().skip(1).toList()) {
      String[] column = line.split("\t", -1);
      families.add(
          new Family(
              column[0],
              Type.valueOf(column[1].toUpperCase(java.util.Locale.ROOT)),
              labels(column[2]),
              column[3],
              column[4].equals("on"),
              column[5],
              filter(column[6]),
              column[7],
              column[8]));
    }
    return List.copyOf(families);
  }

  /** {@code label,label:tag}; without a tag, the label is the tag's name too. */
  private static List<Label> labels(String column) {
    List<Label> labels = new ArrayList<>();
    for (String label : column.isEmpty() ? new String[0] : column.split(",", -1)) {
      String[] part = label.split(":", -1);
      labels.add(new Label(part[0], part[part.length - 1]));
    }
    return List.copyOf(labels);
  }

  /** {@code tag=value;tag=value}. */
  private static Map<String, String> filter(String column) {
    Map<String, String> filter = new LinkedHashMap<>();
    for (String condition : column.isEmpty() ? new String[0] : column.split(";", -1)) {
      String[] part = condition.split("=", -1);
      filter.put(part[0], part[1]);
    }
    return filter;
  }
}
