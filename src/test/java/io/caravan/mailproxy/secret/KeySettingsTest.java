package io.caravan.mailproxy.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeySettingsTest {
  private static final Place HERE = Place.clientAuth("acme");

  @TempDir Path home;

  private KeySettings settings(String key, String file) {
    KeySettings settings = new KeySettings(key);
    settings.setKeyFile(file);
    settings.setHome(home.toString());
    return settings;
  }

  @Test
  void without_a_key_one_is_made_for_its_owner_alone_and_used_from_then_on() throws Exception {
    Path file = home.resolve("mail.db.key");
    Files.writeString(home.resolve("mail.db.key.tmp"), "a start that broke off left this");
    String sealed = settings("", " ").load(file, true).seal(HERE, "secret");

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(home.toFile().list()).containsExactly("mail.db.key");
    assertThat(settings("", "").load(file, false).open(HERE, sealed)).isEqualTo("secret");
    assertThat(settings("", "mail.db.key").load(home.resolve("x"), false).open(HERE, sealed))
        .isEqualTo("secret");
    assertThat(settings(Files.readString(file), "").load(home, false).open(HERE, sealed))
        .isEqualTo("secret");
  }

  @Test
  void none_is_made_where_one_must_have_been() {
    Path file = home.resolve("mail.db.key");
    assertThatThrownBy(() -> settings("", "").load(file, false))
        .hasMessageContaining(file.toString())
        .hasMessageContaining("MAIL_PROXY_ENCRYPTION_KEY");
    assertThat(home).isEmptyDirectory();
  }

  @Test
  void what_cannot_be_used_is_told_by_its_source() throws Exception {
    Path file = home.resolve("mail.db.key");
    String key = Keyring.generate();
    assertThatThrownBy(() -> settings(key, "k").load(file, true))
        .hasMessageContaining("both set")
        .hasMessageNotContaining(key);
    assertThatThrownBy(() -> settings("canary", "").load(file, true))
        .hasMessageStartingWith("MAIL_PROXY_ENCRYPTION_KEY: key 1 ")
        .hasMessageNotContaining("canary");
    assertThatThrownBy(() -> settings("", "k").load(file, true))
        .hasMessageContaining(home.resolve("k") + " cannot be read");
    Files.writeString(home.resolve("k"), "canary");
    assertThatThrownBy(() -> settings("", "k").load(file, true))
        .hasMessageContaining(home.resolve("k") + ": key 1 ")
        .hasMessageNotContaining("canary");
    assertThat(file).doesNotExist();
  }
}
