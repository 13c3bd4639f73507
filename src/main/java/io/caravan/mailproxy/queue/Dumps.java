package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.throttle.RuleBook;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The orders to drop what waits, as table {@code dump} has them, in memory. An order holds for what
 * was accepted before it, and is carried out when an attempt starts.
 */
public final class Dumps {
  private final Database database;
  private final Directory directory;
  private final RuleBook rules;
  private volatile List<Dump> all = List.of();

  /**
   * One order.
   *
   * @param upto the greatest key of a message that it is for
   * @param createdAt Unix milliseconds
   */
  record Dump(Scope scope, @Nullable String reason, long upto, long createdAt) {}

  /** Reads the table. */
  public Dumps(Database database, Directory directory, RuleBook rules) {
    this.database = database;
    this.directory = directory;
    this.rules = rules;
    reload();
  }

  /** Takes the table as it is now. */
  public synchronized void reload() {
    all =
        Row.all(database.rows("dumps")).stream()
            .map(
                row ->
                    new Dump(
                        Scope.of(row),
                        row.textOrNull("reason"),
                        row.number("upto"),
                        row.number("created_at")))
            .toList();
  }

  /** Whether a message is to be dropped. */
  public boolean hit(LaneKey lane, @Nullable String batchCode, long messagePk) {
    for (Dump dump : all) {
      String wanted = dump.scope().batchCode();
      if (messagePk <= dump.upto()
          && (wanted == null || Objects.equals(wanted, batchCode))
          && dump.scope().covers(lane, directory, rules)) {
        return true;
      }
    }
    return false;
  }

  List<Dump> all() {
    return all;
  }
}
