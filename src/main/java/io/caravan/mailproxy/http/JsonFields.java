package io.caravan.mailproxy.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;

/** Reads the fields of a JSON object; what does not fit is a {@link Problem} 422. */
public final class JsonFields {
  private final JsonNode object;
  private final List<Object> place;

  public JsonFields(JsonNode object) {
    this(object, "body");
  }

  /**
   * Fields of an object that stands somewhere in the body.
   *
   * @param place the names that lead to it, {@code body} first
   */
  public JsonFields(JsonNode object, Object... place) {
    this.place = List.of(place);
    if (!object.isObject()) {
      throw Problem.invalid("model_attributes_type", this.place, "Input should be a valid object");
    }
    this.object = object;
  }

  private List<Object> at(String name) {
    List<Object> at = new ArrayList<>(place);
    at.add(name);
    return at;
  }

  public Problem wrong(String name, String message) {
    return wrong(name, "value_error", message);
  }

  /**
   * A value that does not fit.
   *
   * @param code what programs tell it by
   */
  public Problem wrong(String name, String code, String message) {
    return Problem.invalid(code, at(name), message);
  }

  public @Nullable JsonNode node(String name) {
    JsonNode node = object.get(name);
    return node == null || node.isNull() ? null : node;
  }

  public String required(String name, int max) {
    String text = text(name, max, null);
    if (text == null) {
      throw Problem.invalid("missing", at(name), "Field required");
    }
    if (text.isBlank()) {
      throw wrong(name, "Input should not be blank");
    }
    return text;
  }

  @NullUnmarked
  public String text(String name, int max, String absent) {
    JsonNode node = node(name);
    if (node == null) {
      return absent;
    }
    if (!node.isTextual()) {
      throw Problem.invalid("string_type", at(name), "Input should be a valid string");
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(node.textValue())) {
      throw Problem.invalid("string_unicode", at(name), "Input holds half of a surrogate pair");
    }
    if (node.textValue().length() > max
        || node.textValue().chars().anyMatch(Character::isISOControl)) {
      throw wrong(name, "Input should have at most " + max + " characters, none of control");
    }
    return node.textValue();
  }

  public @Nullable String pem(String name) {
    JsonNode node = node(name);
    if (node == null) {
      return null;
    }
    if (!node.isTextual() || !node.textValue().contains("-----BEGIN CERTIFICATE-----")) {
      throw wrong(name, "Input should be certificates in PEM form");
    }
    return node.textValue();
  }

  public @Nullable Boolean flag(String name) {
    JsonNode node = node(name);
    if (node == null) {
      return null;
    }
    if (!node.isBoolean()) {
      throw Problem.invalid("bool_type", at(name), "Input should be a valid boolean");
    }
    return node.booleanValue();
  }

  public long requiredNumber(String name, long min, long max) {
    Long number = number(name, min, max, null);
    if (number == null) {
      throw Problem.invalid("missing", at(name), "Field required");
    }
    return number;
  }

  @NullUnmarked
  public Long number(String name, long min, long max, Long absent) {
    JsonNode node = node(name);
    if (node == null) {
      return absent;
    }
    if (!node.isIntegralNumber()) {
      throw Problem.invalid("int_type", at(name), "Input should be a valid integer");
    }
    if (!node.canConvertToLong() || node.longValue() < min || node.longValue() > max) {
      throw wrong(name, "Input should be between " + min + " and " + max);
    }
    return node.longValue();
  }
}
