package io.caravan.mailproxy.contract;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.endtoend.TestStore;
import io.caravan.mailproxy.queue.InFlight;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.api.io.TempDir;

class PostgresOutboxTest extends OutboxContract {
  @TempDir Path folder;
  private final String url = TestStore.postgres();

  @Override
  Database open(InstantSource clock) {
    return Database.of(folder.toString(), url, clock, 60);
  }

  @Override
  InFlight inFlight(Database database) {
    return new InFlight(database);
  }
}
