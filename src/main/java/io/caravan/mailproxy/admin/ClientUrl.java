package io.caravan.mailproxy.admin;

import java.net.URI;
import java.net.URISyntaxException;

/** The URL of a client's endpoint, as an administrator sets it (DECISIONS, Guards). */
public final class ClientUrl {
  /** What {@link #usable} asks for, in words. */
  public static final String FORM = "an http or https URL without credentials or fragment";

  private static final int MAX_PORT = 65_535;

  private ClientUrl() {}

  /** Whether such a URL can be called. */
  public static boolean usable(String text) {
    try {
      URI uri = new URI(text);
      return ("http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme()))
          && uri.getHost() != null
          && uri.getPort() != 0
          && uri.getPort() <= MAX_PORT
          && uri.getUserInfo() == null
          && uri.getFragment() == null;
    } catch (URISyntaxException e) {
      return false;
    }
  }
}
