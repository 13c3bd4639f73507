package io.caravan.mailproxy.secret;

/** A sealed value that no loaded key opens. The message says why, and nothing of value or key. */
public final class LockedException extends Exception {
  private static final long serialVersionUID = 1L;

  LockedException(Place place, String why) {
    super("its " + place.column() + " " + why, null, false, false);
  }
}
