package io.caravan.mailproxy.db;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes connections, and breaks all that it made. */
final class PostgresSource extends PGSimpleDataSource {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(PostgresSource.class);

  private final transient Set<Connection> made =
      Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

  /**
   * @param loginSeconds until a session has to stand
   */
  PostgresSource(int loginSeconds) {
    super.setLoginTimeout(loginSeconds);
  }

  /** Does nothing: the pool would put its own wait for a connection here. */
  @Override
  public void setLoginTimeout(int seconds) {}

  @Override
  public Connection getConnection(@Nullable String user, @Nullable String password)
      throws SQLException {
    Connection connection = super.getConnection(user, password);
    made.add(connection);
    return connection;
  }

  /** Who waits for an answer on one of them fails at once. */
  void sever() {
    List<Connection> all;
    synchronized (made) {
      all = List.copyOf(made);
      made.clear();
    }
    for (Connection connection : all) {
      try {
        connection.abort(Runnable::run);
      } catch (SQLException e) {
        LOG.debug("a connection was broken already", e);
      }
    }
  }
}
