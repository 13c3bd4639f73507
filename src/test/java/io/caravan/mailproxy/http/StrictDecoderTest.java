package io.caravan.mailproxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.vertx.core.http.HttpServerOptions;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that two readers could take for different ones, in one piece and byte by byte. */
class StrictDecoderTest {
  private static final String NEXT = "GET /next HTTP/1.1\r\n\r\n";

  /** Paths of the requests that were read, a refused one as {@code refused}, and their bodies. */
  private static List<String> read(String bytes, int piece) {
    EmbeddedChannel channel =
        new EmbeddedChannel(new StrictDecoder(HttpServers.limit(new HttpServerOptions())));
    for (int i = 0; i < bytes.length(); i += piece) {
      String part = bytes.substring(i, Math.min(bytes.length(), i + piece));
      channel.writeInbound(Unpooled.copiedBuffer(part, StandardCharsets.ISO_8859_1));
    }
    List<String> read = new ArrayList<>();
    StringBuilder body = new StringBuilder();
    for (Object next = channel.readInbound(); next != null; next = channel.readInbound()) {
      if (next instanceof HttpRequest request) {
        read.add(request.decoderResult().isSuccess() ? request.uri() : "refused");
      } else if (next instanceof HttpContent content) {
        body.append(content.content().toString(StandardCharsets.ISO_8859_1));
        content.release();
      }
    }
    if (body.length() > 0) {
      read.add(body.toString());
    }
    channel.finishAndReleaseAll();
    return read;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\nx",
        "GET / HTTP/1.1\r\nX-A: 1\r\n 2\r\n\r\n",
        "GET / HTTP/1.1\r\nX-A: 1\r\n\t2\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
        "GET / HTTP/1.1\nX-A: 1\n\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
      })
  void an_ambiguous_request_is_refused_and_nothing_after_it_is_read(String request) {
    assertThat(read(request + NEXT, 65_536)).containsExactly("refused");
    assertThat(read(request + NEXT, 1)).containsExactly("refused");
  }

  @Test
  void what_is_in_order_is_read_however_it_comes() {
    String json = "{\r\n \"a\":\r\n\t1 }";
    String sized = "POST /sized HTTP/1.1\r\nContent-Length: " + json.length() + "\r\n\r\n" + json;
    String chunked =
        "POST /chunked HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\n\n x\r\n0\r\n\r\n";
    String fields = "X-A:  1 \r\n".repeat(StrictDecoder.MAX_FIELDS);
    String all = sized + chunked + "GET /old HTTP/1.0\r\n" + fields + "\r\n" + NEXT;
    for (int piece : new int[] {1, 7, 65_536}) {
      assertThat(read(all, piece))
          .containsExactly("/sized", "/chunked", "/old", "/next", json + "\n x");
    }
  }

  @Test
  void a_head_has_a_number_of_fields_and_of_bytes_at_most() {
    String many = "X: 1\r\n".repeat(StrictDecoder.MAX_FIELDS + 1);
    assertThat(read("GET / HTTP/1.1\r\n" + many + "\r\n" + NEXT, 4_096)).containsExactly("refused");
    assertThat(read("GET / HTTP/1.1\r\nX: " + "x".repeat(65_536) + "\r\n\r\n" + NEXT, 4_096))
        .containsExactly("refused");
    assertThat(read("GET /" + "x".repeat(10_240) + " HTTP/1.1\r\n\r\n" + NEXT, 4_096))
        .containsExactly("refused");
  }
}
