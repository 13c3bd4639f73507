package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.db.Database;
import java.util.Map;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/** Down when the store does not answer. */
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

  @Override
  protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
    try {
      database.ping();
      builder.up();
    } catch (Exception e) {
      builder.message("the store does not answer").error(e).down();
    }
  }
}
