package io.caravan.mailproxy.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          a@x.test                                |                       | a@x.test
          A.b+c@X.TEST                            |                       | A.b+c@x.test
          ` a@x.test `                            |                       | a@x.test
          Ann Example <a@x.test>                  | Ann Example           | a@x.test
          John Q. Public <a@x.test>               | John Q. Public        | a@x.test
          Shop (Sales) <a@x.test>                 | Shop (Sales)          | a@x.test
          "Doe, \\"J\\"" <a@x.test>               | Doe, "J"              | a@x.test
          "a@evil.test" <a@good.test>             | a@evil.test           | a@good.test
          Jörg Ärger 👩‍🚀 <j@x.test>               | Jörg Ärger 👩‍🚀        | j@x.test
          =?utf-8?q?J=C3=B6rg?= <j@x.test>        | =?utf-8?q?J=C3=B6rg?= | j@x.test
          <a@x.test>                              |                       | a@x.test
          "john..doe"@x.test                      |                       | "john..doe"@x.test
          "john"@x.test                           |                       | john@x.test
          v@bücher.test                           |                       | v@xn--bcher-kva.test
          v@BÜCHER.test                           |                       | v@xn--bcher-kva.test
          v@xn--bcher-kva.test                    |                       | v@xn--bcher-kva.test
          völ@x.test                              |                       | völ@x.test
          v瘍瘊DATA@y.test                         |                       | v瘍瘊DATA@y.test
          a@раypal.com                            |                       | a@xn--ypal-43d9g.com
          faß@FAß.de                              |                       | faß@xn--fa-hia.de
          a@ΒΌΛΟΣ.com                             |                       | a@xn--nxasmq6b.com
          a@βόλος.com                             |                       | a@xn--nxasmm1c.com
          a@ශ්‍රී.com                               |                       | a@xn--10cl1a0b660p.com
          a@bücher。ｔｅｓｔ                         |                       | a@xn--bcher-kva.test
          a@bücher.test                      |                       | a@xn--bcher-kva.test
          a@例え.テスト                            |                       | a@xn--r8jz45g.xn--zckzah
          a@مثال.إختبار                           |                       | a@xn--mgbh0fb.xn--kgbechtv
          a@ıspanak.test                          |                       | a@xn--spanak-o9a.test
          a@col·lecció.cat                        |                       | a@xn--collecci-ioa91d.cat
          """)
  void acceptsOneMailbox(String text, String display, String wire) {
    Address address = Address.parse(text);
    assertThat(address.wire()).isEqualTo(wire);
    assertThat(address.display()).isEqualTo(display == null ? "" : display);
  }

  @ParameterizedTest(name = "{index}")
  @ValueSource(
      strings = {
        "",
        "a",
        "@x.test",
        "a@",
        "a b@x.test",
        "a..b@x.test",
        ".a@x.test",
        "a.@x.test",
        "\"\u0001\"@x.test",
        // B11 to B13
        "\"x\" <a@x.test>\r\nRCPT TO:<e@y>",
        "v@y.test> SIZE=1",
        "v@y.test ORCPT=rfc822;x",
        "v@y.test\r\nDATA",
        "\"v\r\nRCPT TO:<e@y>\"@y.test",
        // B14, B15
        "a@x.test,b@y.test",
        "Doe, John <a@x.test>",
        "undisclosed-recipients:;",
        "grp: a@x.test, b@y.test;",
        "grp: Ann <a@x.test>",
        // B16
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
        "a@localhost",
        "a@127.0.0.1",
        "a@\uff11\uff12\uff17.0.0.1",
        // B17
        "\"a@evil.test\"@good.test",
        "\"john doe\"@x.test",
        "a@good.test(@evil.test)",
        "a@good.test (comment)",
        "a(comment)@good.test",
        "a@evil.test <b@good.test>",
        "a@evil.test@good.test",
        "=?utf-8?q?a=40evil.test?=@good.test",
        "a<b>@x.test",
        "<a@x.test> junk",
        "<a@x.test> junk>",
        "<<a@x.test>>",
        "< a@x.test >",
        "\"open <a@x.test>",
        // B21
        "a@x\u200dy.test",
        "a@x\u200cy.test",
        "a@x\u00ady.test",
        "a\u200db@x.test",
        "a@\u2100.test",
        "a@x\uff20y.test",
        "a@STRA\u1e9eE.test",
        "a@\u0300x.test",
        "a@a\u00b7b.test",
        "a@\u30fb\u00e9.test",
        "a@\ud83d\ude00.test",
        "a@\u0627x\u0627.test",
        "a@1\u0627.test",
        "a@\u0627\u0661\u06f1.test",
        "a@xn--\u00fc.test",
        "a@\u1fb3.test",
        "a@\u1112.test",
        // B22
        "a@y.test\0",
        "a@y.test\t",
        "\tAnn <a@y.test>",
        "\uFEFFa@y.test",
        "\uFEFFAnn <a@y.test>",
        "a@y.test\u0085",
        "a@y.test\u2028",
        // names of hosts
        "a@.test",
        "a@x..test",
        "a@x.test.",
        "a@-x.test",
        "a@x-.test",
        "a@x_y.test",
        "a@x.test:25",
      })
  void refusesEverythingElse(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Address.parse(text));
  }

  @Test
  void holdsTheLengthsOfSmtp() {
    String label = "d".repeat(63);
    assertThat(Address.parse("l".repeat(64) + "@x.test").local()).hasSize(64);
    refusesEverythingElse("l".repeat(65) + "@x.test");
    refusesEverythingElse("ö".repeat(33) + "@x.test");
    refusesEverythingElse("a@" + "d".repeat(64) + ".test");
    refusesEverythingElse("a@" + "ü".repeat(63) + ".test");
    refusesEverythingElse("a@" + String.join(".", label, label, label, label, "test"));
    String longest = String.join(".", label, label, label, "d".repeat(54), "te");
    assertThat(Address.parse("abcd@" + longest).wire()).hasSize(254);
    refusesEverythingElse("abcde@" + longest);
    refusesEverythingElse("x".repeat(100_000) + "@x.test");
  }

  @Test
  void nestedGroupsCostNothing() {
    String nested = "g:".repeat(5000) + "a@x.test" + ";".repeat(5000);
    Assertions.assertTimeout(Duration.ofMillis(100), () -> refusesEverythingElse(nested));
  }

  @Test
  void splitsListsOutsideOfQuotes() {
    assertThat(Address.split("\"Doe, J\" <a@x.test>, \"q\\\"uo,te\" <b@x.test>,c@x.test"))
        .containsExactly("\"Doe, J\" <a@x.test>", " \"q\\\"uo,te\" <b@x.test>", "c@x.test");
    assertThat(Address.split("a@x.test")).containsExactly("a@x.test");
    assertThat(Address.split("\"open, a@x.test")).hasSize(1);
  }

  /** Whatever comes in: an address that is safe on the wire, or a refusal. */
  @Test
  void parsesAnythingToSomethingSafe() {
    Random random = new Random(11);
    int[] points =
        "ab@@..<>\"\\ ,;:()[]=?%-_\r\n\t\0\u0085\u2028üßς株瘍瘊🚀\u200d\u202e。＠．０１２.testxn--\ud800"
            .codePoints()
            .toArray();
    int accepted = 0;
    for (int i = 0; i < 200_000; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(12); n > 0; n--) {
        text.appendCodePoint(points[random.nextInt(points.length)]);
      }
      String tried = random.nextBoolean() ? text + "@x.test" : "N <a@" + text + ".test>";
      Address address;
      try {
        address = Address.parse(tried);
      } catch (IllegalArgumentException e) {
        assertThat(e.getMessage()).isNotBlank();
        continue;
      }
      accepted++;
      assertThat(address.domain()).matches("([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z0-9-]+");
      assertThat(address.wire()).doesNotContainPattern("[\\x00-\\x1f\\x7f-\\x9f<>\u2028]");
      assertThat(address.wire().indexOf('@')).isEqualTo(address.local().length());
      assertThat(Address.parse(address.wire()).wire()).isEqualTo(address.wire());
    }
    assertThat(accepted).isGreaterThan(1000);
  }
}
