package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.http.Json;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The deadlines of one connection. It stands before the HTTP decoder, for Vert.x tells nothing of a
 * request before its head is complete. One thread works with it: that of the connection.
 */
final class ScrapeDeadlines extends ChannelInboundHandlerAdapter {
  /** Bytes of one request, and of those that come before it is answered, at most. */
  private static final int MAX_REQUEST = 65_536;

  /** Time that a refused client has to read why. */
  private static final long GRACE_MILLIS = 1000;

  private final Channel channel;
  private final long limitMillis;
  private final LongConsumer refused;

  private Phase phase = Phase.IDLE;
  private @Nullable Future<?> timer;
  private long turn;
  private long began;
  private long bytes;
  private boolean more;

  private enum Phase {
    IDLE,
    READING,
    ANSWERING,
    REFUSED
  }

  /**
   * @param limitMillis for reading a request, for having its answer, and for sending it, each
   * @param refused told of each answer given here, how many nanoseconds after the request began
   */
  ScrapeDeadlines(Channel channel, long limitMillis, LongConsumer refused) {
    this.channel = channel;
    this.limitMillis = limitMillis;
    this.refused = refused;
  }

  /** Puts itself in front of the channel's other handlers. */
  void begin() {
    channel.pipeline().addFirst(this);
    arm(limitMillis, this::hangUp);
  }

  /**
   * The head of a request is there.
   *
   * @return the request's number on this connection, for {@link #answered}
   */
  long head() {
    if (phase != Phase.READING) {
      reading();
    }
    began = System.nanoTime();
    return turn;
  }

  /** The request is read; now it is its answer that must be ready in time. */
  void read(Runnable late) {
    phase = Phase.ANSWERING;
    arm(limitMillis, late);
  }

  /** The answer is ready; now it is the client that must take it. */
  void sending() {
    phase = Phase.ANSWERING;
    arm(limitMillis, this::hangUp);
  }

  /** The answer has left. A kept connection may be idle for longer than one scrape interval. */
  void answered(long request) {
    if (request != turn || phase != Phase.ANSWERING) {
      return; // the next request has begun
    }
    if (more) {
      reading();
    } else {
      phase = Phase.IDLE;
      bytes = 0;
      arm(2 * limitMillis, this::hangUp);
    }
  }

  /** Nanoseconds since the head was there, or since the first byte while it is not. */
  long nanos() {
    return System.nanoTime() - began;
  }

  /** Answers in the place of Vert.x, and hangs up; nothing, when the client has its answer. */
  void refuse(HttpResponseStatus status) {
    if (phase == Phase.REFUSED || !channel.isActive()) {
      return;
    }
    phase = Phase.REFUSED;
    String body = Json.text(Map.of("detail", status.reasonPhrase()));
    String answer =
        "HTTP/1.1 "
            + status
            + "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
            + body.length()
            + "\r\n\r\n"
            + body;
    refused.accept(nanos());
    // What still comes is read and dropped: closed at once, TCP would take the answer back.
    channel.config().setAutoRead(true);
    ChannelFuture sent =
        channel
            .pipeline()
            .context(this)
            .writeAndFlush(Unpooled.copiedBuffer(answer, StandardCharsets.US_ASCII));
    sent.addListener(written -> endOutput());
    arm(GRACE_MILLIS, this::hangUp);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (phase == Phase.REFUSED) {
      ReferenceCountUtil.release(message);
      return;
    }
    if (phase == Phase.IDLE) {
      reading();
    }
    more = phase == Phase.ANSWERING;
    bytes += ((ByteBuf) message).readableBytes();
    if (bytes <= MAX_REQUEST) {
      context.fireChannelRead(message);
      return;
    }
    ReferenceCountUtil.release(message);
    if (phase == Phase.READING) {
      refuse(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE);
    } else {
      hangUp();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (timer != null) {
      timer.cancel(false);
    }
    context.fireChannelInactive();
  }

  @SuppressWarnings("FutureReturnValueIgnored") // there is nothing to do after it
  private void hangUp() {
    channel.close();
  }

  @SuppressWarnings("FutureReturnValueIgnored") // whether it works or not, the grace runs
  private void endOutput() {
    ((DuplexChannel) channel).shutdownOutput();
  }

  private void reading() {
    phase = Phase.READING;
    turn++;
    bytes = 0;
    more = false;
    began = System.nanoTime();
    arm(limitMillis, () -> refuse(HttpResponseStatus.REQUEST_TIMEOUT));
  }

  private void arm(long millis, Runnable late) {
    if (timer != null) {
      timer.cancel(false);
    }
    timer = channel.eventLoop().schedule(late, millis, TimeUnit.MILLISECONDS);
  }
}
