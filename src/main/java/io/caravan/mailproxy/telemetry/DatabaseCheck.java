package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.db.StoreFault;
import java.util.Map;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/** Down when the store does not answer, or takes nothing. */
public final class DatabaseCheck extends AbstractHealthCheck {
  private final Database database;

  public DatabaseCheck(Database database) {
    super("mail-proxy", "database");
    this.database = database;
  }

  @Override
  public boolean isLiveness() {
    return false;
  }

  private String fault() {
    StoreFault fault = database.health().fault();
    return fault == null ? "" : fault.code();
  }

  @Override
  protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
    try {
      database.ping();
      if (database.health().isWell()) {
        builder.up();
      } else {
        builder.message("the store takes nothing: " + fault()).down();
      }
    } catch (Exception e) {
      builder.message("the store does not answer").error(e).down();
    }
  }
}
