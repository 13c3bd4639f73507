package io.caravan.mailproxy.telemetry;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The documented families, from {@code telemetry/metrics.tsv}: the only place of their names. */
public final class Catalogue {
  private static final String FILE = "/telemetry/metrics.tsv";

  private final List<Family> families;

  /**
   * One documented metric.
   *
   * @param type Prometheus type
   * @param labels in the documented order
   */
  public record Family(String name, String type, List<String> labels, String help) {}

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

  /** All families, in the order in which they are exposed. */
  public List<Family> families() {
    return families;
  }

  private static List<Family> parse(String text) {
    List<Family> families = new ArrayList<>();
    for (String line : text.lines().skip(1).toList()) {
      String[] column = line.split("\t", -1);
      families.add(
          new Family(
              column[0],
              column[1],
              column[2].isEmpty() ? List.of() : List.of(column[2].split(",")),
              column[3]));
    }
    return List.copyOf(families);
  }
}
