package io.caravan.mailproxy;

import java.nio.file.Path;

/** {@code mail-proxy demo}. */
final class Demo {
  private Demo() {}

  static int run(Path home) {
    return home.getNameCount();
  }
}
