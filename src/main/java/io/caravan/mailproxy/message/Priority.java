package io.caravan.mailproxy.message;

import java.util.Locale;
import java.util.Optional;

/** Order among due deliveries; 0 overtakes all others. */
public enum Priority {
  IMMEDIATE(0),
  HIGH(1),
  MEDIUM(2),
  LOW(3);

  private final int level;

  Priority(int level) {
    this.level = level;
  }

  /** The number clients use, 0 to 3. */
  public int level() {
    return level;
  }

  /** The priority of a number, clamped to 0…3 (genro-api 1.4). */
  public static Priority of(long level) {
    return values()[(int) Math.max(0, Math.min(3, level))];
  }

  /** The priority of a label such as {@code high}, in any case. */
  public static Optional<Priority> ofLabel(String label) {
    return switch (label.toLowerCase(Locale.ROOT)) {
      case "immediate" -> Optional.of(IMMEDIATE);
      case "high" -> Optional.of(HIGH);
      case "medium" -> Optional.of(MEDIUM);
      case "low" -> Optional.of(LOW);
      default -> Optional.empty();
    };
  }
}
