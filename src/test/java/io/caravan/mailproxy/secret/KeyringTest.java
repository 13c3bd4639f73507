package io.caravan.mailproxy.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is sealed opens with its key in its place, and nowhere else (B84). */
class KeyringTest {
  private static final Place HERE = Place.password("acme", "main");
  private static final String ONE = Keyring.generate();
  private static final String TWO = Keyring.generate();

  private final Keyring one = Keyring.parse(ONE);

  private static void assertLocked(Keyring keyring, Place place, String value) {
    assertThatThrownBy(() -> keyring.open(place, value))
        .isInstanceOf(LockedException.class)
        .hasMessageNotContaining(value);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "p", "v1:plain", "ENC:x", "a b\u0000\nключ", "v1:k:AAAA"})
  void whatever_a_secret_looks_like_it_comes_back(String secret) throws Exception {
    String sealed = one.seal(HERE, secret);
    assertThat(sealed).matches("v1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}");
    assertThat(one.open(HERE, sealed)).isEqualTo(secret);
    assertThat(one.seal(HERE, secret)).as("under another nonce").isNotEqualTo(sealed);
    assertThatThrownBy(() -> one.open(HERE, secret)).isInstanceOf(LockedException.class);
  }

  @Test
  void it_opens_in_no_other_place() {
    String sealed = one.seal(HERE, "secret");
    for (Place other :
        List.of(
            Place.password("acme", "other"),
            Place.password("other", "main"),
            Place.password("acmem", "ain"),
            Place.imapPassword("acme", "main"),
            Place.clientAuth("acme"),
            new Place("tenant", "acme", "main", "password"))) {
      assertLocked(one, other, sealed);
    }
  }

  @Test
  void a_value_that_was_changed_anywhere_does_not_open() {
    String sealed = one.seal(HERE, "secret");
    int data = sealed.lastIndexOf(':') + 1;
    byte[] bytes = Base64.getUrlDecoder().decode(sealed.substring(data));
    for (int i = 0; i < bytes.length; i++) {
      byte[] changed = bytes.clone();
      changed[i] ^= 1;
      String value = Base64.getUrlEncoder().withoutPadding().encodeToString(changed);
      assertLocked(one, HERE, sealed.substring(0, data) + value);
    }
    for (int length = data; length < sealed.length(); length++) {
      assertLocked(one, HERE, sealed.substring(0, length));
    }
  }

  @Test
  void the_first_key_seals_and_all_open() throws Exception {
    String old = Keyring.parse("a:" + ONE).seal(HERE, "secret");
    Keyring both = Keyring.parse(" b:" + TWO + " ,\n a:" + ONE + "\n");
    assertThat(both.open(HERE, old)).isEqualTo("secret");
    assertThat(both.isOfFirst(old)).isFalse();
    assertThat(both.seal(HERE, "secret")).startsWith("v1:b:").satisfies(both::isOfFirst);

    assertThatThrownBy(() -> Keyring.parse("b:" + TWO).open(HERE, old))
        .hasMessage("its password is sealed with key a, which is not loaded");
    assertThatThrownBy(() -> Keyring.parse("a:" + TWO).open(HERE, old))
        .hasMessageContaining("does not open with key a");
  }

  @Test
  void what_is_no_key_is_refused_by_its_number_alone() {
    List<String> wrong =
        new ArrayList<>(
            List.of(
                "c2hvcnQ=",
                "canary%canary",
                ONE.substring(1),
                ONE + "," + TWO.replace('=', '!'),
                "k:" + ONE + ",k:" + TWO,
                ONE + "," + ONE,
                "an id:" + ONE,
                ":" + ONE,
                ONE + ",",
                "k:"));
    for (String text : wrong) {
      assertThatThrownBy(() -> Keyring.parse(text))
          .as(text)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageMatching(
              "key [12] (is not base64|has \\d+ bytes, it must have 32|has the id of another key"
                  + "|has an id that is not 1 to 32 letters, digits, - or _)");
    }
  }
}
