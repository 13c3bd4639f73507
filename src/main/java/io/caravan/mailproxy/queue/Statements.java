package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Sql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The statements of one connection, prepared once, by the names of their files. Changes may wait,
 * and go to the store together by statement: what is asked for at once takes their place before.
 */
final class Statements {
  private final Connection connection;
  private final Sql sql;
  private final Map<String, PreparedStatement> prepared = new HashMap<>();

  /** What waits, by statement: one entry for each row of its batch. */
  private final Map<String, List<Count>> waiting = new LinkedHashMap<>();

  /** How many rows a change had, once it was made. */
  static final class Count {
    private int rows = -1;

    int rows() {
      if (rows < 0) {
        throw new IllegalStateException("not made yet");
      }
      return rows;
    }
  }

  Statements(Connection connection, Sql sql) {
    this.connection = connection;
    this.sql = sql;
  }

  boolean belongTo(Connection other) {
    return connection == other;
  }

  /** Changes rows at once. */
  int update(String name, @Nullable Object... values) throws SQLException {
    flush();
    return bind(name, values).executeUpdate();
  }

  /** Runs a query; the caller closes the rows. */
  ResultSet query(String name, @Nullable Object... values) throws SQLException {
    flush();
    return bind(name, values).executeQuery();
  }

  /** Changes rows before the next {@link #flush}; nothing that waits depends on the order. */
  Count later(String name, @Nullable Object... values) throws SQLException {
    bind(name, values).addBatch();
    Count count = new Count();
    waiting.computeIfAbsent(name, first -> new ArrayList<>()).add(count);
    return count;
  }

  /** Makes the changes that wait. */
  void flush() throws SQLException {
    if (waiting.isEmpty()) {
      return;
    }
    for (Map.Entry<String, List<Count>> batch : waiting.entrySet()) {
      int[] rows = statement(batch.getKey()).executeBatch();
      for (int i = 0; i < rows.length; i++) {
        batch.getValue().get(i).rows = rows[i];
      }
    }
    waiting.clear();
  }

  /** Drops the changes that wait. */
  void forget() throws SQLException {
    List<String> names = List.copyOf(waiting.keySet());
    waiting.clear();
    for (String name : names) {
      statement(name).clearBatch();
    }
  }

  long now() throws SQLException {
    try (ResultSet rows = query("now")) {
      rows.next();
      return rows.getLong(1);
    }
  }

  private PreparedStatement bind(String name, @Nullable Object... values) throws SQLException {
    PreparedStatement statement = statement(name);
    for (int i = 0; i < values.length; i++) {
      statement.setObject(i + 1, values[i]);
    }
    return statement;
  }

  private PreparedStatement statement(String name) throws SQLException {
    PreparedStatement statement = prepared.get(name);
    if (statement == null) {
      statement = connection.prepareStatement(sql.load(name));
      prepared.put(name, statement);
    }
    return statement;
  }
}
