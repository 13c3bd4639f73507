package io.caravan.mailproxy.intake;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Problem;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Takes values of the expected JSON type out of a tree and collects what has another type, in the
 * words of Pydantic v2, which clients of the first system parse (genro-api 1.1). {@code null} and
 * absent are the same.
 */
final class TypeCheck {
  static final String NO_OBJECT =
      "Input should be a valid dictionary or object to extract fields from";
  private static final int MAX_ENTRIES = 50;
  private static final int MAX_INPUT_CHARS = 40;

  /**
   * Times beyond it mean nothing, and within it seconds still fit a long as milliseconds: 2^53 - 1.
   */
  private static final long MAX_INTEGER = 9_007_199_254_740_991L;

  private final List<Map<String, Object>> entries = new ArrayList<>();
  private final boolean trusted;

  /**
   * @param trusted whether texts were looked through before they were stored
   */
  TypeCheck(boolean trusted) {
    this.trusted = trusted;
  }

  /** Throws the 422 of the whole request if anything was found. */
  void orThrow() {
    if (!entries.isEmpty()) {
      throw new Problem(422, List.copyOf(entries));
    }
  }

  void add(String type, Path at, String msg, @Nullable JsonNode input) {
    if (entries.size() >= MAX_ENTRIES) {
      return;
    }
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("type", type);
    entry.put("loc", at.loc());
    entry.put("msg", msg);
    if (input != null && input.isValueNode() && input.asText().length() <= MAX_INPUT_CHARS) {
      entry.put("input", input);
    }
    entries.add(entry);
  }

  @Nullable JsonNode present(JsonNode object, String field) {
    JsonNode value = object.get(field);
    return value == null || value.isNull() ? null : value;
  }

  @Nullable String text(JsonNode object, String field, Path at) {
    JsonNode value = present(object, field);
    return value == null ? null : text(value, at, field);
  }

  @Nullable String text(JsonNode value, Path at, Object step) {
    if (!value.isTextual()) {
      add("string_type", at.at(step), "Input should be a valid string", value);
      return null;
    }
    String text = value.textValue();
    if (!trusted && !isLatin(text) && hasLoneSurrogate(text)) {
      add(
          "string_unicode",
          at.at(step),
          "Input should be a valid string, unable to parse raw data as a unicode string",
          null);
      return null;
    }
    return text;
  }

  /** An integer, beyond ±(2^53 - 1) the nearest of these; {@code 5.0} is 5. */
  @Nullable Long integer(JsonNode object, String field, Path at) {
    JsonNode value = present(object, field);
    return value == null ? null : integer(value, at.at(field));
  }

  @Nullable Long integer(JsonNode value, Path at) {
    if (!value.isNumber()) {
      add("int_type", at, "Input should be a valid integer", value);
      return null;
    }
    if (value.isIntegralNumber()) {
      return value.canConvertToLong()
          ? clamp(value.longValue())
          : value.bigIntegerValue().signum() * MAX_INTEGER;
    }
    double number = value.doubleValue();
    if (Double.isNaN(number) || Double.isInfinite(number)) {
      add("finite_number", at, "Input should be a finite number", null);
      return null;
    }
    if (number != Math.rint(number)) {
      add(
          "int_from_float",
          at,
          "Input should be a valid integer, got a number with a fractional part",
          value);
      return null;
    }
    return clamp((long) number);
  }

  private static long clamp(long number) {
    return Math.max(-MAX_INTEGER, Math.min(MAX_INTEGER, number));
  }

  @Nullable JsonNode array(JsonNode object, String field, Path at) {
    JsonNode value = present(object, field);
    if (value != null && !value.isArray()) {
      add("list_type", at.at(field), "Input should be a valid list", value);
      return null;
    }
    return value;
  }

  boolean isObject(JsonNode value, Path at) {
    if (!value.isObject()) {
      add("model_attributes_type", at, NO_OBJECT, value);
      return false;
    }
    return true;
  }

  /** Reports fields that nobody knows, for objects that are closed. */
  void onlyFields(JsonNode object, Collection<String> known, Path at) {
    for (Iterator<String> names = object.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!known.contains(name)) {
        add("extra_forbidden", at.at(name), "Extra inputs are not permitted", null);
      }
    }
  }

  void missing(Path at) {
    add("missing", at, "Field required", null);
  }

  /** The text form of a number or boolean, for header values. */
  @Nullable String scalar(JsonNode value, Path at, String step) {
    if (value.isTextual() || value.isContainerNode()) {
      return text(value, at, step);
    }
    if (value.isDouble() && !Double.isFinite(value.doubleValue())) {
      add("finite_number", at.at(step), "Input should be a finite number", null);
      return null;
    }
    return value.asText();
  }

  /** Whether all characters are below 256: seen many at a time, as copies and comparisons are. */
  private static boolean isLatin(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    return new String(bytes, StandardCharsets.ISO_8859_1).equals(text);
  }

  private static boolean hasLoneSurrogate(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        if (Character.isLowSurrogate(c)
            || i + 1 == text.length()
            || !Character.isLowSurrogate(text.charAt(i + 1))) {
          return true;
        }
        i++;
      }
    }
    return false;
  }
}
