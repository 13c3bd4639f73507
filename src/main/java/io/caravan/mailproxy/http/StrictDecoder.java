package io.caravan.mailproxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.impl.VertxHttpRequestDecoder;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Refuses requests that two readers could take for different ones, so that nothing is smuggled
 * through a proxy before us (RFC 9112, 11.2): a body with two lengths or an unknown transfer coding
 * (6.1, 6.3), folded header lines (5.2), two hosts (3.2). After such a request nothing of the
 * connection is read.
 */
final class StrictDecoder extends VertxHttpRequestDecoder {
  /** Header fields of a request, at most. */
  static final int MAX_FIELDS = 100;

  /** Beside the fields a head has its first line and the blank one at its end. */
  private static final int OTHER_LINES = 2;

  /** A percent sign without two digits, before the query (RFC 3986 section 2.1). */
  private static final Pattern BROKEN_PATH = Pattern.compile("^[^?]*%(?![0-9A-Fa-f]{2})");

  private boolean inHead = true;
  private int lines;
  private boolean folded;
  private boolean refused;

  StrictDecoder(HttpServerOptions options) {
    super(options);
  }

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf buffer, List<Object> out)
      throws Exception {
    if (refused) {
      buffer.skipBytes(buffer.readableBytes());
      return;
    }
    int from = buffer.readerIndex();
    int before = out.size();
    super.decode(context, buffer, out);
    if (inHead) {
      look(buffer, from, buffer.readerIndex()); // one call reads of a head or of a body, never both
    }
    for (int i = before; i < out.size(); i++) {
      if (out.get(i) instanceof HttpRequest request) {
        check(request);
      }
      if (out.get(i) instanceof LastHttpContent) {
        inHead = true;
      }
    }
  }

  /** Lines of a head that were read, whole ones each time. */
  private void look(ByteBuf buffer, int from, int to) {
    int begin = from;
    while (begin < to) {
      byte first = buffer.getByte(begin);
      folded |= lines > 0 && (first == ' ' || first == '\t');
      lines++;
      int end = buffer.indexOf(begin, to, (byte) '\n');
      begin = end < 0 ? to : end + 1;
    }
  }

  private void check(HttpRequest request) {
    Exception fault = request.decoderResult().isSuccess() ? fault(request) : null;
    if (fault != null) {
      request.setDecoderResult(DecoderResult.failure(fault));
    }
    refused = !request.decoderResult().isSuccess();
    inHead = false;
    lines = 0;
    folded = false;
  }

  private @Nullable Exception fault(HttpRequest request) {
    if (lines > MAX_FIELDS + OTHER_LINES) {
      return new TooLongHttpHeaderException("more than " + MAX_FIELDS + " header fields");
    }
    boolean modern = request.protocolVersion().equals(HttpVersion.HTTP_1_1);
    if (!modern && !request.protocolVersion().equals(HttpVersion.HTTP_1_0)) {
      return new IllegalArgumentException("neither HTTP/1.0 nor HTTP/1.1");
    }
    if (folded) {
      return new IllegalArgumentException("a folded header line");
    }
    if (BROKEN_PATH.matcher(request.uri()).find()) {
      return new IllegalArgumentException("a path that is not percent-encoded");
    }
    if (request.headers().getAll(HttpHeaderNames.HOST).size() > 1) {
      return new IllegalArgumentException("more than one Host");
    }
    List<String> codings = request.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
    boolean chunked =
        codings.size() == 1
            && modern
            && HttpHeaderValues.CHUNKED.contentEqualsIgnoreCase(codings.get(0));
    return codings.isEmpty() || chunked
        ? null
        : new IllegalArgumentException("a transfer coding other than chunked");
  }

  @Override
  protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
    throw new IllegalArgumentException("both Content-Length and Transfer-Encoding");
  }
}
