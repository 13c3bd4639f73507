package io.caravan.mailproxy.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which tenant a command speaks of; a tenant's own token needs none. */
final class Owner {
  @Option(
      names = {"-t", "--tenant"},
      paramLabel = "ID",
      description = "The tenant; else GMP_TENANT, else the one whose token it is.")
  @Nullable String tenant;

  /** {@code null}: not said. */
  @Nullable String id(Terminal terminal) {
    if (tenant != null) {
      return tenant;
    }
    String set = terminal.variable("GMP_TENANT");
    return set.isEmpty() ? null : set;
  }
}
