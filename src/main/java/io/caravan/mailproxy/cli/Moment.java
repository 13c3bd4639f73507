package io.caravan.mailproxy.cli;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a moment: Unix seconds, {@code 2026-01-31} or {@code 2026-01-31T08:00:00Z}; UTC. */
final class Moment implements ITypeConverter<Long> {
  @Override
  public Long convert(String text) {
    try {
      if (text.matches("\\d{1,18}")) {
        return Long.valueOf(text);
      }
      return text.length() == 10
          ? LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toEpochSecond()
          : Instant.parse(text).getEpochSecond();
    } catch (DateTimeException e) {
      throw new TypeConversionException(
          "'" + text + "' is no moment, such as 1767225600, 2026-01-31 or 2026-01-31T08:00:00Z");
    }
  }
}
