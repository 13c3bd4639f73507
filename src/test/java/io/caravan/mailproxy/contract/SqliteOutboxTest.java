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
    return Database.of(folder.toString(), "mail.db", clock, 60);
  }

  @Override
  InFlight inFlight(Database database) {
    return new InFlight(database);
  }
}
