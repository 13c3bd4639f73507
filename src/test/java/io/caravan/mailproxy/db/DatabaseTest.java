package io.caravan.mailproxy.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatabaseTest {
  @TempDir Path home;

  @Test
  void a_store_that_is_not_built_in_is_refused_without_its_password() {
    assertThatThrownBy(
            () ->
                new Database(
                    home.toString(), "postgresql://me:secret@host/db", InstantSource.system()))
        .hasMessageContaining("GMP_DB_PATH")
        .hasMessageNotContaining("secret");
    assertThat(home).isEmptyDirectory();
  }

  @Test
  void only_its_owner_reads_the_file() throws Exception {
    try (Database database = new Database(home.toString(), "mail.db", InstantSource.system())) {
      database.ping();
      for (String name : new String[] {"mail.db", "mail.db-wal"}) {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve(name))))
            .as(name)
            .isEqualTo("rw-------");
      }
    }
  }
}
