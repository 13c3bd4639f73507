package io.caravan.mailproxy.queue;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Changes by one statement that go to the store together. */
interface Changeset {
  /** One more row; its values stand in the order of the statement's places. */
  Count add(@Nullable Object... values) throws SQLException;

  /** Makes the changes. */
  void make() throws SQLException;

  /** Drops them. */
  void forget() throws SQLException;

  /** How many rows a change had, once it was made. */
  final class Count {
    private int rows = -1;

    void set(int made) {
      rows = made;
    }

    /**
     * @throws IllegalStateException it was not made yet, or its statement does not tell
     */
    int rows() {
      if (rows < 0) {
        throw new IllegalStateException("not made yet");
      }
      return rows;
    }
  }
}
