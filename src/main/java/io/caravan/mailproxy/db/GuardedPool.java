package io.caravan.mailproxy.db;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;

/** A pool that gives no connection, and lets nobody wait for one, while the store is away. */
final class GuardedPool extends HikariDataSource {
  private final StoreHealth health;

  GuardedPool(HikariConfig config, StoreHealth health) {
    super(config);
    this.health = health;
  }

  @Override
  public Connection getConnection() throws SQLException {
    health.check();
    try {
      return super.getConnection();
    } catch (SQLException e) {
      if (getHikariPoolMXBean().getActiveConnections() < getMaximumPoolSize()) {
        health.met(e);
      } // else all are in use, which says nothing about the store
      throw e;
    }
  }

  /** A connection for a look whether it is back. */
  Connection look() throws SQLException {
    return super.getConnection();
  }
}
