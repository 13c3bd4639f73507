package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.http.Request;
import io.caravan.mailproxy.http.Requests;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import org.apache.camel.Exchange;

/**
 * Writes all meters for Prometheus: the documented families first, under their names, types and
 * labels to the letter, then everything else under names made by Prometheus' rules.
 */
public final class PrometheusText {
  private static final int FIRST_CAPACITY = 65_536;
  private static final String TOTAL = "_total";

  private final Readings readings;
  private final OtherMeters others;
  private final LongAdder scrapes = new LongAdder();
  private final LongAccumulator longest = new LongAccumulator(Math::max, 0);

  /**
   * @param readings of the documented families
   * @param others the meters of Camel and the virtual machine
   */
  public PrometheusText(Readings readings, OtherMeters others) {
    this.readings = readings;
    this.others = others;
  }

  /** {@code GET /metrics}: the form that the request's Accept header wants. */
  public void answer(Exchange exchange) {
    Format format = Format.of(exchange.getProperty(Requests.REQUEST, Request.class).accept());
    var message = exchange.getMessage();
    message.setHeader(Exchange.CONTENT_TYPE, format.contentType());
    message.setBody(write(format).getBytes(StandardCharsets.UTF_8));
  }

  /**
   * What was scraped since the last call.
   *
   * @param longestNanos of the longest one, nanoseconds
   */
  record Scrapes(long count, long longestNanos) {}

  Scrapes takeScrapes() {
    return new Scrapes(scrapes.sumThenReset(), longest.getThenReset());
  }

  /** All meters as they are now; no I/O. */
  public String write(Format format) {
    long start = System.nanoTime();
    String text = exposition(format);
    scrapes.increment();
    longest.accumulate(System.nanoTime() - start);
    return text;
  }

  private String exposition(Format format) {
    ExpositionText out = new ExpositionText(FIRST_CAPACITY, format);
    for (Readings.Reading reading : readings.read()) {
      Catalogue.Family family = reading.family();
      out.head(family.name(), family.type().name(), family.help());
      List<String> names = family.labels().stream().map(Catalogue.Label::name).toList();
      for (Readings.Series series : reading.series()) {
        if (family.type() == Catalogue.Type.HISTOGRAM) {
          out.histogram(
              family.name(),
              names,
              series.labels(),
              series.buckets(),
              series.value(),
              series::exemplar);
        } else {
          // Prometheus refuses a whole scrape with an exemplar on a counter without the suffix
          boolean traceable = family.name().endsWith(TOTAL);
          out.sample(family.name(), names, series.labels(), series.value());
          out.end(family.type() == Catalogue.Type.COUNTER && traceable ? series.exemplar() : null);
        }
      }
    }
    others.write(out);
    return out.finish();
  }
}
