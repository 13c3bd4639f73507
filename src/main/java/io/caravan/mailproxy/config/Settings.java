package io.caravan.mailproxy.config;

import org.apache.camel.CamelContext;

/**
 * The settings of {@code config/application.properties} as bean {@code settings}: for texts, which
 * Camel would take for numbers, beans or quotes where they look like them, and for fractions.
 */
public final class Settings {
  private final CamelContext context;

  public Settings(CamelContext context) {
    this.context = context;
  }

  /**
   * A setting's value.
   *
   * @throws IllegalArgumentException there is no such setting
   */
  public String text(String key) {
    return context
        .getPropertiesComponent()
        .resolveProperty(key)
        .orElseThrow(() -> new IllegalArgumentException("there is no setting " + key));
  }

  /**
   * A setting's value as a number, fractions allowed.
   *
   * @throws IllegalArgumentException it is none
   */
  public double number(String key) {
    String text = text(key);
    try {
      return Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("setting " + key + " is no number: " + text, e);
    }
  }
}
