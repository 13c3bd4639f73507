package io.caravan.mailproxy.contract;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.queue.InFlight;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.api.io.TempDir;

class SqliteOutboxTest extends OutboxContract {
  @TempDir Path folder;

  @Override
  Database open(InstantSource clock) {
    return new Database(folder.toString(), "mail.db", clock);
  }

  @Override
  InFlight inFlight(Database database) {
    return new InFlight(folder.toString(), "mail.db", database);
  }
}
