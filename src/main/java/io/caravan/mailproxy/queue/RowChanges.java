package io.caravan.mailproxy.queue;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Changes as a batch of a statement for one row. */
final class RowChanges implements Changeset {
  private final PreparedStatement statement;
  private final List<Count> counts = new ArrayList<>();

  RowChanges(PreparedStatement statement) {
    this.statement = statement;
  }

  @Override
  public Count add(@Nullable Object... values) throws SQLException {
    for (int i = 0; i < values.length; i++) {
      statement.setObject(i + 1, values[i]);
    }
    statement.addBatch();
    Count count = new Count();
    counts.add(count);
    return count;
  }

  @Override
  public void make() throws SQLException {
    int[] rows = statement.executeBatch();
    for (int i = 0; i < rows.length; i++) {
      counts.get(i).set(rows[i]);
    }
    counts.clear();
  }

  @Override
  public void forget() throws SQLException {
    counts.clear();
    statement.clearBatch();
  }
}
