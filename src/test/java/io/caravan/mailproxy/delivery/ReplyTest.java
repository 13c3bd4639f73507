package io.caravan.mailproxy.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Replies as relays write them (RFC 5321 section 4.2, RFC 2034). */
class ReplyTest {

  private static ReplyReader reader(String wire) {
    return new ReplyReader(new ByteArrayInputStream(wire.getBytes(StandardCharsets.UTF_8)));
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "250, 2.1.0 ok, 2.1.0",
        "550, 5.7.509 no, 5.7.509",
        "550, 5.1.1, 5.1.1",
        "550, 4.1.1 other class, -",
        "550, 5.1 short, -",
        "550, 5.1.1.1 long, -",
        "550, 5.1234.1 long, -",
        "550, 5..1 x, -",
        "550, 5.1.1x, -",
        "550, no code, -",
      })
  void enhancedCodes(int code, String words, String enhanced) {
    assertThat(Reply.enhanced(code, words)).isEqualTo(enhanced);
  }

  @Test
  void repliesOneAfterTheOther() throws IOException {
    ReplyReader reader = reader("250\r\n250-a\r\n250 b\r\n354 go\n550 5.1.1 no\r\n");
    assertThat(reader.read(true)).isEqualTo(new Reply(250, null, "", false));
    assertThat(reader.read(true).text()).isEqualTo("a b");
    assertThat(reader.read(false).code()).isEqualTo(354);
    assertThat(reader.read(false).enhanced()).isEqualTo("5.1.1");
    assertThat(reader.hasUnread()).isFalse();
    assertThatThrownBy(() -> reader.read(true)).isInstanceOf(EOFException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"HTTP/1.1 400 Bad\r\n", "\r\n", "25\r\n", "199 x\r\n", "600 x\r\n", "250x\r\n"})
  void whatIsNoReply(String wire) {
    assertThatThrownBy(() -> reader(wire).read(true))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no SMTP reply");
  }

  @Test
  void aReplyHasABound() throws IOException {
    Reply many = reader("250-x\r\n".repeat(20_000)).read(true);
    assertThat(many.overlong()).isTrue();
    assertThat(many.text().length()).isLessThanOrEqualTo(Reply.MAX_TEXT);
    assertThat(reader("550 " + "x".repeat(100_000)).read(true).overlong()).isTrue();
    Reply long1 = reader("550 " + "x".repeat(60_000) + "\r\n").read(true);
    assertThat(long1.overlong()).isFalse();
    assertThat(long1.text()).hasSize(Reply.MAX_TEXT);
  }

  @Test
  void wordsAreClean() {
    assertThat(Reply.clean("a\tb\u001b\u0085c\u2028")).isEqualTo("a\\x09b\\x1b\\x85c\\u2028");
    assertThat(Reply.clean("x".repeat(1023) + "\ud83d\ude00")).hasSize(1023);
    assertThat(Reply.clean("Grüße")).isEqualTo("Grüße");
  }

  @Test
  void theLibrarysReplies() {
    assertThat(Reply.parse("554-5.0.0 a\n554 5.0.0 b\n"))
        .isEqualTo(new Reply(554, "5.0.0", "5.0.0 a 5.0.0 b", false));
    assertThat(Reply.parse("[EOF]").code()).isZero();
    assertThat(Reply.parse(null).code()).isZero();
    assertThat(Reply.parse("5541 x").code()).isZero();
  }
}
