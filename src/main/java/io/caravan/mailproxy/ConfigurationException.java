package io.caravan.mailproxy;

import io.caravan.mailproxy.db.UnusableStoreException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The proxy cannot start as it is configured; the message says what is wrong and where. */
public final class ConfigurationException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ConfigurationException(String message) {
    super(message);
  }

  private ConfigurationException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * The messages of all causes, each once, after the places they speak of. A store that cannot be
   * used says all itself.
   *
   * @param places lines that name file and line; empty: the messages do, or there is no such place
   */
  static ConfigurationException of(Exception failure, List<String> places) {
    if (failure instanceof ConfigurationException known) {
      return known;
    }
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnusableStoreException store) {
        return new ConfigurationException(String.valueOf(store.getMessage()), store);
      }
    }
    Set<String> messages = new LinkedHashSet<>(places);
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String message = cause.getMessage();
      if (message != null && messages.stream().noneMatch(said -> said.contains(message))) {
        messages.add(message);
      }
    }
    return new ConfigurationException(String.join("\n  ", messages), failure);
  }
}
