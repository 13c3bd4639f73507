package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Sql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The statements of one connection, prepared once, by the names of their files. Changes may wait,
 * and go to the store together by statement: what is asked for at once takes their place before.
 */
final class Statements {
  private final Connection connection;
  private final Sql sql;
  private final Map<String, PreparedStatement> prepared = new HashMap<>();
  private final Map<String, Changeset> changesets = new HashMap<>();

  /** The changesets in which something waits, in the order in which they began. */
  private final Set<Changeset> waiting = new LinkedHashSet<>();

  /** Whether messages of this transaction may be in another slice of time than those of others. */
  private boolean atEdge;

  Statements(Connection connection, Sql sql) {
    this.connection = connection;
    this.sql = sql;
  }

  boolean belongTo(Connection other) {
    return connection == other;
  }

  /**
   * Changes rows at once, by a statement whose places are single values.
   *
   * @return how many rows
   */
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
  Changeset.Count later(String name, @Nullable Object... values) throws SQLException {
    Changeset changes = changesets.get(name);
    if (changes == null) {
      PreparedStatement statement = statement(name);
      changes = ArrayChanges.of(statement, sql.load(name));
      changes = changes == null ? new RowChanges(statement) : changes;
      changesets.put(name, changes);
    }
    waiting.add(changes);
    return changes.add(values);
  }

  /** Makes the changes that wait. */
  void flush() throws SQLException {
    for (Changeset changes : waiting) {
      changes.make();
    }
    waiting.clear();
  }

  /** Drops the changes that wait. */
  void forget() throws SQLException {
    List<Changeset> dropped = List.copyOf(waiting);
    waiting.clear();
    for (Changeset changes : dropped) {
      changes.forget();
    }
  }

  /**
   * A transaction begins.
   *
   * @return the database's clock, Unix milliseconds
   */
  long begin() throws SQLException {
    try (ResultSet row = query("begin")) {
      row.next();
      atEdge = row.getBoolean("edge");
      return row.getLong("now");
    }
  }

  /** Messages are to be stored in this transaction: no other one may store the same ids unseen. */
  void storing() throws SQLException {
    if (atEdge) {
      atEdge = false;
      query("lock-ids").close();
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
